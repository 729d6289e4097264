/** What the probes of calls tell and count is what the model's rules say that these calls access. */
import {
  ACCESSORS,
  createRingState,
  deriveAccesses,
  findAccessorRules,
  LONGEST_CHAIN,
  type ExportedCall,
} from '@vhostscope/model';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TRACEABLE } from '../../test/direct-map-host.ts';
import { DEBIAN_12, pretendedHost, type PretendedHost } from '../../test/pretended-host.ts';
import {
  createProgramState,
  translated,
  type PretendedVirtqueue,
  type ProgramState,
} from '../../test/statements-on-a-ring.ts';
import { readHostFacts } from '../host/host-facts.js';
import { planRecording } from '../plan-recording.js';
import type { Detail } from '../probe-plan/detail.js';
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import {
  accessBlocks,
  beginAccesses,
  countedAccesses,
  forgetAccesses,
  settleAccesses,
} from './access-blocks.js';
import { EVENT_IDX } from './area-size.js';
import { emittedTogether } from './emitted-lines.js';
import { knowHeads } from './head-word.js';
import { NOTIFY_ON_EMPTY } from './virtqueue-state.js';

const ADDRESS = 0x1000n;
const AVAIL = 0x2_0000n;
const DESCRIPTORS = 0x4_0000n;
const NUM = 32;
const NEXT = 1n;

async function planOf(detail: Detail, host?: PretendedHost): Promise<ProbePlan> {
  return planRecording(await readHostFacts(pretendedHost(host), 'bpftrace'), { detail }).plan;
}

const plans = { calls: await planOf('calls'), accesses: await planOf('accesses') };

/** A virtqueue, a driver that makes buffers available, and the program beside them. */
function createWorld(plan: ProbePlan, eventIdx: boolean, base: number) {
  const rules = findAccessorRules('6.1');
  if (rules === undefined) throw new Error('no rules of 6.1');
  const ring = {
    ...createRingState(NUM),
    eventIdx,
    callEventfd: true,
    backend: true,
    lastAvailIdx: base,
    availIdx: base,
    lastUsedIdx: base,
  };
  const memory = new Map<bigint, bigint>();
  const state = createProgramState();
  /** By accessor number. */
  const derived = ACCESSORS.map(() => 0);
  let made = base;

  const seen = (): PretendedVirtqueue => ({
    address: ADDRESS,
    members: {
      num: BigInt(NUM),
      avail: AVAIL,
      desc: DESCRIPTORS,
      iotlb: 0n,
      last_avail_idx: BigInt(ring.lastAvailIdx),
      avail_idx: BigInt(ring.availIdx),
      last_used_idx: BigInt(ring.lastUsedIdx),
      used_flags: ring.noNotify ? 1n : 0n,
      acked_features:
        (ring.eventIdx ? 1n << BigInt(EVENT_IDX) : 0n) |
        (ring.notifyOnEmpty ? 1n << BigInt(NOTIFY_ON_EMPTY) : 0n),
      signalled_used_valid: ring.signalledUsedValid ? 1n : 0n,
      'call_ctx.ctx': ring.callEventfd ? 1n : 0n,
    },
    memory,
  });

  const probes = new Map(
    accessBlocks(plan).flatMap(({ points, body }) =>
      points.map((point) => [point.replace('kprobe:', ''), translated(body)] as const),
    ),
  );
  const ofVirtqueue = (statements: Parameters<typeof translated>[0]): (() => void) => {
    const run = translated(['$address = (uint64)arg0;', ...statements]);
    return () => run(seen(), [ADDRESS], state);
  };
  /** A kernel function is called. Its virtqueue is the first argument of some, the second of others. */
  const enter = (name: string, count = 0): void => {
    const isFirst = /^vhost_(?:get_vq_desc|add_used_n|discard_vq_desc)$/.test(name);
    const args = isFirst ? [ADDRESS, BigInt(count), BigInt(count)] : [0n, ADDRESS, 0n];
    probes.get(name)?.(seen(), args, state);
  };
  const chains = new Map<number, number>();
  const counted = countedAccesses(plan);

  return {
    ring,
    state,
    derived,
    begin: ofVirtqueue(beginAccesses(plan)),
    end: ofVirtqueue([
      ...settleAccesses(plan),
      ...(counted.length === 0 ? [] : emittedTogether(counted)),
    ]),
    know: ofVirtqueue(knowHeads()),
    forget: ofVirtqueue(forgetAccesses(plan)),
    /** The driver makes a chain available, if there is room. */
    add(length: number): void {
      if (((made - ring.lastUsedIdx) & 0xffff) >= NUM) return;
      const slot = made & (NUM - 1);
      const head = slot * (LONGEST_CHAIN + 1);
      memory.set(AVAIL + 4n + 2n * BigInt(slot), BigInt(head));
      for (let i = 0; i < length; i++) {
        const at = DESCRIPTORS + 16n * BigInt(head + i);
        memory.set(at, 1n);
        memory.set(at + 12n, i < length - 1 ? NEXT : 0n);
        memory.set(at + 14n, BigInt(head + i + 1));
      }
      chains.set(made, length);
      made = (made + 1) & 0xffff;
    },
    call(name: ExportedCall['function'], count = 1): void {
      enter(name, count);
      if (name === 'vhost_add_used_and_signal_n') enter('vhost_add_used_n', count);
      const { accesses } = deriveAccesses(rules, ring, {
        function: name,
        inMemory: made,
        chain: chains.get(ring.lastAvailIdx) ?? 1,
        count,
        usedInMemory: 0,
      });
      for (const { accessor, least } of accesses)
        derived[accessor] = (derived[accessor] ?? 0) + least;
    },
  };
}

type World = ReturnType<typeof createWorld>;

/** How often each accessor was told of, by number. */
function told({ printed, maps }: ProgramState, detail: 'calls' | 'accesses'): number[] {
  const counts = ACCESSORS.map(() => 0);
  if (detail === 'accesses') {
    for (const {
      values: [, , , accessor = 0n],
    } of printed)
      counts[Number(accessor)] = (counts[Number(accessor)] ?? 0) + 1;
    return counts;
  }
  const last = printed.at(-1)?.values.slice(3) ?? [];
  expect(maps.get('accesses 0') ?? 0n).toBe(BigInt(printed.length));
  return counts.map((_, accessor) => Number(last[accessor - 1] ?? 0n));
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('fetch'), count: fc.integer({ min: 1, max: 9 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('add'), count: fc.integer({ min: 1, max: 9 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('use'), count: fc.integer({ min: 1, max: 64 }) }),
  },
  fc.record({
    do: fc.constantFrom('give back', 'signal', 'enable', 'disable', 'look', 'turn'),
    count: fc.integer({ min: 1, max: 3 }),
  }),
);

/** Heads that were fetched and not used. */
const heldBy = ({ ring }: World): number => (ring.lastAvailIdx - ring.lastUsedIdx) & 0xffff;

function take(world: World, { do: what, count }: { do: string; count: number }): void {
  const held = Math.min(count, heldBy(world));
  switch (what) {
    case 'add':
      for (let i = 0; i < count; i++) world.add(1 + ((i * count) % (LONGEST_CHAIN + 1)));
      break;
    case 'fetch':
      for (let i = 0; i < count; i++) world.call('vhost_get_vq_desc');
      break;
    case 'use':
      if (held > 0)
        world.call(count % 2 === 0 ? 'vhost_add_used_n' : 'vhost_add_used_and_signal_n', held);
      break;
    case 'give back':
      if (held > 0) world.call('vhost_discard_vq_desc', held);
      break;
    case 'signal':
      world.call('vhost_signal');
      break;
    case 'enable':
      world.call('vhost_enable_notify');
      break;
    case 'disable':
      world.call('vhost_disable_notify');
      break;
    case 'look':
      world.call('vhost_vq_avail_empty');
      break;
    case 'turn':
      world.end();
      world.begin();
      break;
  }
}

describe.each(['calls', 'accesses'] as const)('%s', (detail) => {
  it('tells as many accesses of each kind as the rules derive, whatever is called', () => {
    const steps = fc.array(step, { minLength: 1, maxLength: 60 });
    let heads = 0;
    fc.assert(
      fc.property(
        steps,
        fc.boolean(),
        fc.integer({ min: 0, max: 0xffff }),
        (all, eventIdx, base) => {
          const world = createWorld(plans[detail], eventIdx, base);
          world.know();
          world.begin();
          for (const each of all) take(world, each);
          world.end();
          expect(told(world.state, detail)).toEqual(world.derived);
          heads += world.derived[ACCESSORS.indexOf('get_avail_head')] ?? 0;
        },
      ),
      { numRuns: 150 },
    );
    expect(heads).toBeGreaterThan(300);
  });

  it('tells nothing of a virtqueue that was not told of, and nothing once it is given up', () => {
    const world = createWorld(plans[detail], false, 7);
    const work = (): void => {
      world.add(3);
      for (const each of ['fetch', 'fetch', 'use', 'enable', 'disable', 'signal', 'look'])
        take(world, { do: each, count: 1 });
    };
    work();
    expect(world.state.maps).toEqual(new Map());
    world.know();
    world.begin();
    work();
    world.end();
    expect(world.state.printed).not.toEqual([]);
    const before = world.state.printed.length;
    world.forget();
    work();
    expect(world.state.printed).toHaveLength(before);
    expect([...world.state.maps.keys()]).toEqual(['accesses 0']);
  });

  it('asks for no map that nobody writes, where the calls that do cannot be probed', async () => {
    const names = ['vhost_add_used_and_signal', 'vhost_add_used_and_signal_n'];
    const functions = (DEBIAN_12[TRACEABLE] ?? '')
      .split('\n')
      .filter((line) => !names.includes(line.split(' ')[0] ?? ''))
      .join('\n');
    const host = pretendedHost({ files: { [TRACEABLE]: functions } });
    const { program } = planRecording(await readHostFacts(host, 'bpftrace'), { detail }).command;
    expect(program).not.toContain('@signals');
  });
});

it('a packet costs one read and one write of a map', () => {
  const world = createWorld(plans.calls, true, 65_530);
  world.know();
  world.begin();
  for (let i = 0; i < 20; i++) world.add(1 + (i % 8));
  world.call('vhost_get_vq_desc');
  const before = world.state.mapOperations;
  for (let i = 0; i < 10; i++) world.call('vhost_get_vq_desc');
  expect(world.state.mapOperations - before).toBe(20);
});

it('what was counted outside of rounds is told before the next one begins', () => {
  const world = createWorld(plans.calls, false, 0);
  world.know();
  world.begin();
  world.end();
  world.begin();
  world.end();
  expect(world.state.printed).toHaveLength(2);
  for (let i = 0; i < 3; i++) world.add(2);
  // A head shows at the next call.
  for (let i = 0; i < 3; i++) world.call('vhost_get_vq_desc');
  world.begin();
  expect(world.state.printed).toHaveLength(3);
  const counts = told(world.state, 'calls');
  expect(counts[ACCESSORS.indexOf('get_avail_head')]).toBe(2);
  expect(counts[ACCESSORS.indexOf('get_desc')]).toBe(4);
});

it('what is no head is told before the next round too, and nothing is told twice', () => {
  const world = createWorld(plans.calls, false, 0);
  world.know();
  world.begin();
  world.end();
  world.begin();
  world.call('vhost_vq_avail_empty');
  world.end();
  expect(world.state.printed).toHaveLength(2);
  world.begin();
  expect(world.state.printed).toHaveLength(2);
  world.end();
  world.call('vhost_vq_avail_empty');
  world.begin();
  expect(world.state.printed).toHaveLength(4);
  expect(told(world.state, 'calls')[ACCESSORS.indexOf('get_avail_idx')]).toBe(2);
});

it('counts more heads in a round than the word holds', () => {
  const world = createWorld(plans.calls, false, 0);
  world.know();
  world.begin();
  const heads = (): bigint => BigInt(world.state.maps.get(`heads ${ADDRESS}`)?.toString() ?? 0);
  // Just before the field of heads is half full, all of chains that are as long as can be.
  const many = 2n ** 19n - 2n;
  world.state.maps.set(`heads ${ADDRESS}`, heads() + (many << 16n) + ((8n * many) << 36n));
  for (let i = 0; i < 5; i++) world.add(LONGEST_CHAIN + 1);
  for (let i = 0; i < 6; i++) world.call('vhost_get_vq_desc');
  world.end();
  const counts = told(world.state, 'calls');
  expect(counts[ACCESSORS.indexOf('get_avail_head')]).toBe(Number(many) + 5);
  expect(counts[ACCESSORS.indexOf('get_desc')]).toBe(8 * (Number(many) + 5));
  expect((heads() >> 16n) & 0xf_ffffn).toBe(0n);
});
