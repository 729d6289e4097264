/** Lines that the program cannot print are counted, as the heartbeats count those that it prints. */
import { expect, it } from 'vitest';
import { INLINED, WHOLE } from '../../test/direct-map-host.ts';
import { pretendedHost, type HostFiles } from '../../test/pretended-host.ts';
import { readHostFacts } from '../host/host-facts.js';
import { planRecording } from '../plan-recording.js';

/** The program for Debian 12, or a host like it. */
async function programOf(files: HostFiles): Promise<string> {
  const facts = await readHostFacts(pretendedHost({ files }), 'bpftrace');
  return planRecording(facts, { detail: 'rounds' }).command.program;
}

/** Its blocks by their first probe; of several with the same one, the last. */
async function blocks(files: HostFiles = {}): Promise<ReadonlyMap<string, string>> {
  const texts = (await programOf(files))
    .split('\n\n')
    .map((text) => text.replaceAll(/^\/\/.*\n/gm, ''));
  return new Map(texts.map((text) => [/^\S+?(?=,?\n)/.exec(text)?.[0] ?? '', text]));
}

const TASK = '(uint64)curtask';

it.each([
  ['kprobe:vq_meta_prefetch', 'active', 'rounds'],
  ['kprobe:__mmu_notifier_invalidate_range_start', 'call', 'ranges'],
  ['kprobe:__mmu_notifier_invalidate_range_end', 'call', 'ranges'],
  ['kprobe:vhost_vring_ioctl', 'setup_dev', 'state'],
  ['kprobe:vhost_dev_set_owner', 'owned', 'state'],
])('%s counts a return that never came, first of all', async (probe, map, of) => {
  const [, body = ''] = ((await blocks()).get(probe) ?? '').split('\n{\n');
  expect(body).toContain(
    `  if (@${map}[${TASK}] != 0) {\n    @${of}[cpu]++;\n    delete(@${map}[${TASK}]);\n`,
  );
  expect(body.indexOf(`if (@${map}[`)).toBe(2);
});

it.each([
  ['kprobe:vhost_vring_ioctl', ['registers', 'device']],
  ['kprobe:vhost_dev_set_owner', ['registers', 'device']],
  ['kprobe:vhost_dev_cleanup', ['registers', 'device']],
  ['kprobe:mmu_notifier_register', ['registers']],
  ['kprobe:vhost_vq_reset', ['reset']],
])(
  'of a driver with the direct map, %s counts the returns that never came',
  async (probe, maps) => {
    const [, body = ''] = ((await blocks(WHOLE)).get(probe) ?? '').split('\n{\n');
    const begins = maps.map((map) => `if (@${map}[${TASK}] != 0) {`);
    for (const [index, map] of maps.entries())
      expect(body).toContain(
        `  ${begins[index] ?? ''}\n    @state[cpu]++;\n    delete(@${map}[${TASK}]);\n`,
      );
    // First of all, one after the other.
    expect(body.match(/if \(.*\{/g)?.slice(0, begins.length)).toEqual(begins);
  },
);

it.each([
  ['a stock kernel', {}],
  ['one with the direct map', INLINED],
  ['one whose functions all stand on their own', WHOLE],
])('no condition hides a call that shows that a return was missed: %s', async (_what, files) => {
  const all = await blocks(files);
  const returns = [...all].filter(([probe]) => probe.startsWith('kretprobe:'));
  let pairs = 0;
  for (const [probe, text] of returns) {
    const call = all.get(probe.replace('kretprobe', 'kprobe'));
    const mark = /^\/(@\w+)\[\(uint64\)curtask\] != 0\/$/m.exec(text)?.[1];
    if (call === undefined || mark === undefined || !call.includes(`delete(${mark}[`)) continue;
    pairs++;
    const condition = /^\/(.*)\/$/m.exec(call)?.[1];
    if (condition !== undefined) expect(condition).toContain(`|| ${mark}[${TASK}] != 0`);
  }
  expect(pairs).toBeGreaterThan(3);
});

it('stands before its return in the program: bpftrace attaches the last first', async () => {
  const probes = [...(await blocks()).keys()];
  for (const [index, probe] of probes.entries()) {
    const call = probe.replace(/^kretprobe/, 'kprobe');
    if (call !== probe && probes.includes(call)) expect(probes.indexOf(call)).toBeLessThan(index);
  }
  expect(probes.indexOf('kretprobe:handle_rx')).toBeGreaterThan(
    probes.indexOf('kprobe:vq_meta_prefetch'),
  );
});

it('ends a range that was not told only where a return is missed', async () => {
  const text = (await blocks()).get('kprobe:__mmu_notifier_invalidate_range_end') ?? '';
  expect(text).toContain(`/@begun[(uint64)arg0] != 0 || @call[${TASK}] != 0/`);
  expect(text.indexOf('if (@begun[(uint64)arg0] != 0) {')).toBeLessThan(text.indexOf('printf'));
});

it('takes no virtqueue 0 from an argument that it cannot read, and reads it again at the return', async () => {
  const all = await blocks();
  const entry = all.get('kprobe:vhost_vring_ioctl') ?? '';
  expect(entry).toContain('if ($place != 0 || $sign != 0) {');
  expect(entry).toMatch(
    /if \(\$address != 0\) \{\s+printf\("X [^}]+\} else \{\s+@state\[cpu\]\+\+;/,
  );
  const end = all.get('kretprobe:vhost_vring_ioctl') ?? '';
  expect(end).toMatch(
    /if \(\$address == 0\) \{\s+\$address = \(uint64\)0;\s+\$place = .*uptr\(\$argument\)/,
  );
});

/** Entries of maps that are counted where a full map has not kept them, and as what. */
async function countedEntries(files: HostFiles = {}): Promise<ReadonlySet<string>> {
  const counted = (await programOf(files)).matchAll(
    /if \((@[^\n]+?\]) == 0\) \{\s+@(\w+)\[cpu\]\+\+;\s+\}/g,
  );
  return new Set([...counted].map(([, entry, of]) => `${entry} ${of}`));
}

it('counts what a full map does not take, and virtqueues that are not looked at', async () => {
  const program = [...(await blocks()).values()].join('\n');
  expect(await countedEntries()).toEqual(
    new Set([
      '@told[$address] state',
      '@owner[$mm] state',
      `@owned[${TASK}] state`,
      `@answers[${TASK}] state`,
      '@begun[(uint64)arg0] ranges',
      `@call[${TASK}] ranges`,
      `@active[${TASK}] rounds`,
      `@reads[${TASK}] rounds`,
      `@logs[${TASK}] rounds`,
      `@attaches[${TASK}] rounds`,
      `@setup_dev[${TASK}] state`,
      `@setup_arg[${TASK}] state`,
      '@log_writes[$address] rounds',
      '@log_bits[$address] rounds',
      '@log_failures[$address] rounds',
    ]),
  );
  expect(program).toMatch(/if \(\(uint64\)\$dev->nvqs > 16\) \{\s+@state\[cpu\]\+\+;/);
  expect(program).toMatch(/if \(\$place == 16\) \{\s+@state\[cpu\]\+\+;/);
});

it('counts what a full map does not take of a driver with the direct map', async () => {
  const setUp = ['device', 'ring', 'registers'].map((map) => `@${map}[${TASK}] state`);
  const attempts = ['attempt', 'area'].map((map) => `@${map}[${TASK}] rounds`);
  expect([...(await countedEntries(WHOLE))]).toEqual(
    expect.arrayContaining([...setUp, `@reset[${TASK}] state`, ...attempts]),
  );
  const ofAreas = [0, 1, 2].map((area) => `@absent[${TASK}, ${area}] rounds`);
  expect([...(await countedEntries(INLINED))]).toEqual(
    expect.arrayContaining([...setUp, `@prefetching[${TASK}] rounds`, ...ofAreas]),
  );
});

it('keeps nothing of a stretch that is logged where a full map has not kept for which virtqueue', async () => {
  const text = (await blocks()).get('kprobe:log_write') ?? '';
  expect(text).toMatch(
    /@logs\[(.*)\] = \$address;\s+if \(@logs\[\1\] == 0\) \{\s+delete\(@logged_pages\[\1\]\);/,
  );
});

it('counts an attempt of which no pages were kept, and does not tell that none were asked for', async () => {
  const ofAttempt = (await blocks(WHOLE)).get('kretprobe:vhost_map_prefetch') ?? '';
  // The low halves of -14 and -12.
  const early = ofAttempt.match(
    /if \(@got\[.*\] == 0\) \{\s+if \(\(\(uint64\)retval & 0xffffffff\) == 4294967282 \|\| \(\(uint64\)retval & 0xffffffff\) == 4294967284\) \{\s+printf.*\s+@rounds\[cpu\]\+\+;\s+\} else \{\s+@rounds\[cpu\]\+\+;\s+\}/g,
  );
  expect(early).toHaveLength(3);
  const inlined = await blocks(INLINED);
  const asked = [...inlined.values()].find(
    (text) => text.startsWith('kprobe:') && /@tried.* = /.test(text),
  );
  const ends = inlined.get('kretprobe:vq_meta_prefetch') ?? '';
  for (const area of [0, 1, 2]) {
    expect(asked).toMatch(new RegExp(`@absent\\[.*, ${area}\\] = \\(uint64\\)2;`));
    expect(ends).toMatch(new RegExp(`if \\(@absent\\[.*, ${area}\\] == 1\\) \\{\\s+printf\\("P`));
    expect(ends).toMatch(
      new RegExp(`if \\(@absent\\[.*, ${area}\\] == 2\\) \\{\\s+@rounds\\[cpu\\]\\+\\+;`),
    );
  }
});

it.each([
  ['a stock kernel', {}],
  ['one with the direct map', INLINED],
])('goes by the box only where it bounds anything: %s', async (_what, files) => {
  const program = [...(await blocks(files)).values()].join('\n');
  const tests = program.split('\n').filter((line) => / <= @high\[/.test(line));
  expect(tests.length).toBeGreaterThan(1);
  for (const line of tests) expect(line).toMatch(/ \|\| @unbounded\[.*\] != 0\)/);
});

it.each([
  ['rounds', ['@whole_round', '@begun_round']],
  ['calls', ['@begun_round']],
] as const)('%s: whatever prints has told what its CPU holds back', async (detail, maps) => {
  const facts = await readHostFacts(pretendedHost(), 'bpftrace');
  const { program } = planRecording(facts, { detail }).command;
  let prints = 0;
  for (const block of program.split('\n\n').filter((text) => !text.startsWith('BEGIN'))) {
    /** By map, how deep in the block the look at it stands that comes before the line at hand. */
    const looks = new Map<string, number>();
    for (const line of block.split('\n')) {
      const depth = line.search(/\S/);
      for (const [map, at] of looks) if (depth < at) looks.delete(map);
      for (const map of maps) if (line.includes(` = ${map}[cpu];`)) looks.set(map, depth);
      // Those that tell what is held begin with the begin of a round.
      if (!line.includes('printf(') || line.includes('printf("M ')) continue;
      prints++;
      expect([line, [...looks.keys()].toSorted()]).toEqual([line, [...maps].toSorted()]);
    }
  }
  expect(prints).toBeGreaterThan(20);
});
