import { expect, test, vi } from 'vitest';
import { golden } from '../test/trace-event-files.ts';
import { createTextKindFinder, type TextFormat, type TextKind } from './text-kind.js';

const PERF =
  '           vload   193 [000]    30.148057810:   vho:reset: (0) vq=0xffff8c3ecbc90100\n';
const FTRACE = '           vload-219     [000] .N.1.    40.666304: reset: (f+0x0/0x10) vq=0x5\n';

const kindOf = (text: string, isAll = false): TextKind | undefined =>
  createTextKindFinder().find(Buffer.from(text, 'latin1'), isAll);

test.each<[TextFormat, string]>([
  ['bpftrace', '# vhost-oracle 1\n'],
  ['bpftrace', 'Attaching 7 probes...\n'],
  ['bpftrace', 'Attached 7 probes\n'],
  ['bpftrace', '{"type": "attached_probes", "data": {"probes": 7}}\n'],
  ['bpftrace', 'WARNING: hello\n{"type": "attached_probes", "data": {"probes": 7}}\n'],
  ['bpftrace', 'hello\nM 5 0 ffff888100000100\n'],
  ['perf script', PERF],
  ['perf script', `# ========\n#\n${PERF}`],
  ['perf script', `Warning:\n\n${PERF}`],
  ['perf script', PERF.replace('.148057810', '.148057')],
  ['ftrace', `# tracer: nop\n#\n${FTRACE}`],
  ['ftrace', FTRACE],
  ['ftrace', `# tracer: nop\n#\n${FTRACE.replace('vload-219', '       -1')}`],
  ['trace-cmd report', `version = 6\ncpus=2\n${FTRACE}`],
])('%s: %j', (format, text) => {
  expect(kindOf(text)?.format).toBe(format);
  expect(kindOf(text)?.timeStep).toBe(/\.\d{6}:/.test(text) ? 1000 : 1);
});

test('golden texts', () => {
  for (const [name, format] of [
    ['perf-script-default.txt.gz', 'perf script'],
    ['perf-script-F.txt.gz', 'perf script'],
    ['perf-script-callchain.txt.gz', 'perf script'],
    ['perf61-lost.txt', 'perf script'],
    ['perf61-callchain.txt', 'perf script'],
    ['perf61-p2.txt', 'perf script'],
    ['ftrace.txt.gz', 'ftrace'],
  ] as const)
    expect([name, kindOf(golden(name))?.format]).toEqual([name, format]);
});

test('what does not tell is waited for, and is taken for text of bpftrace in the end', () => {
  for (const text of ['', 'hello\n', PERF.trimEnd(), '# ========\n# hostname : vm\n', '\n\n']) {
    expect(kindOf(text)).toBe(undefined);
    expect(kindOf(text, true)).toMatchObject({ format: 'bpftrace', saysNothing: true });
  }
  for (const text of ['Attaching 7 probes...\n', 'hello\nM 5 0 ffff888100000100\n'])
    expect(kindOf(text, true)).not.toHaveProperty('saysNothing');
});

test('a clock is known only where the header of perf script names it', () => {
  const clockOf = (line: string): string | undefined => kindOf(`${line}\n${PERF}`)?.clock;
  expect(clockOf('# clockid: boottime (7)')).toBe('CLOCK_BOOTTIME');
  expect(clockOf('# clockid: monotonic (1)')).toBe('unknown');
  expect(clockOf('# hostname : # clockid: boottime (7)')).toBe('unknown');
  // 14 bytes, which a name can hold behind a line feed.
  expect(clockOf('                \n# clockid: (7)')).toBe('unknown');
});

test('the name of a thread does not make it text of another kind', () => {
  const [first = '', last = ''] = PERF.split('vload');
  for (const name of [
    'x\nM 5 0 10\n',
    '\nAttaching 1 pr',
    '\n# vhost-oracl',
    '\ncpus=1',
    '\nversion = 6',
  ])
    expect(kindOf(`${first}${name}${last}`)?.format).toBe('perf script');
});

test('the header of perf may be longer than other texts are waited for, and comes in pieces', () => {
  const ids = Array.from({ length: 512 }, (_, cpu) => 1000 + cpu).join(', ');
  const header = Array.from({ length: 40 }, () => `# event : name = vho:x, , id = { ${ids} }\n`);
  const text = Buffer.from(`# ========\n# clockid: boottime (7)\n${header.join('')}#\n${PERF}`);
  expect(text.length).toBeGreaterThan(100_000);
  const finder = createTextKindFinder();
  for (let length = 1000; length < text.length; length += 1000)
    expect(finder.find(text.subarray(0, length), false)).toBe(undefined);
  expect(finder.find(text, false)).toMatchObject({
    format: 'perf script',
    clock: 'CLOCK_BOOTTIME',
  });
  const comments = '# a comment\n'.repeat(6000);
  expect(kindOf(`${comments}${'text\n'.repeat(20)}`)).toBe(undefined);
  expect(kindOf(`${comments}${'text\n'.repeat(14_000)}`)?.format).toBe('bpftrace');
});

test('behind a long header the first event may come in pieces that end wherever they do', () => {
  const header = Buffer.from('# a comment\n'.repeat(6000));
  expect(header.length).toBeGreaterThan(1 << 16);
  const text = Buffer.concat([header, Buffer.from(PERF)]);
  for (let length = header.length - 20; length < text.length; length++) {
    const finder = createTextKindFinder();
    expect([length, finder.find(text.subarray(0, length), false)]).toEqual([length, undefined]);
    expect(finder.find(text, false)?.format).toBe('perf script');
  }
});

test('a comment that comes in many pieces is searched once', () => {
  const text = Buffer.alloc(1 << 24, 'x');
  text[0] = 0x23;
  const finder = createTextKindFinder();
  for (let length = 1 << 16; length <= text.length; length += 1 << 16) {
    const head = text.subarray(0, length);
    const search = vi.spyOn(head, 'indexOf');
    expect(finder.find(head, false)).toBe(undefined);
    expect(search.mock.calls).toEqual([[0x0a, length - (1 << 16)]]);
  }
});
