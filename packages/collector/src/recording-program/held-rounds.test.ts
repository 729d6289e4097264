/** Whatever holds rounds back: each CPU tells what happened on it, all of it, in the order in which it did. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pretendedHost } from '../../test/pretended-host.ts';
import {
  createProgramState,
  translated,
  type PrintedLine,
} from '../../test/statements-on-a-ring.ts';
import { readHostFacts } from '../host/host-facts.js';
import { planRecording } from '../plan-recording.js';
import type { Detail } from '../probe-plan/detail.js';
import { emittedTogether } from './emitted-lines.js';
import { eventLine } from './event-printf.js';
import { beginRound, endRound, tellHeldBegin, tellHeldRounds } from './held-rounds.js';

const CPUS = 3;
const VIRTQUEUES = [0x1000n, 0x2000n];
const NUM = 256n;
const HANDLER = 2n;
const CHAIN = 3n;

const action = fc.record({
  do: fc.constantFrom('turn', 'turn', 'turn', 'print', 'heartbeat'),
  cpu: fc.nat(CPUS - 1),
  queue: fc.nat(VIRTQUEUES.length - 1),
});
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

async function createWorld(detail: Detail) {
  const { plan } = planRecording(await readHostFacts(pretendedHost(), 'bpftrace'), { detail });
  const other = emittedTogether([eventLine('reset', { vq: '$address' })]);
  const programs = {
    begin: translated([
      ...tellHeldBegin(plan),
      '$address = (uint64)arg0;',
      '$began = (uint64)nsecs;',
      ...beginRound(plan),
    ]),
    end: translated([
      '$address = (uint64)arg0;',
      '$began = (uint64)arg1;',
      '$before = (uint64)arg2;',
      '$ring = (uint64)nsecs;',
      ...endRound(
        plan,
        {
          vq: '$address',
          handler: String(HANDLER),
          num: String(NUM),
          chain: String(CHAIN),
          ringBefore: '$before',
          ringAfter: '$ring',
        },
        detail === 'calls'
          ? [eventLine('unmap', { vq: '$address', mask: '-', invalidateCount: '-' })]
          : [],
      ),
    ]),
    print: translated(['$address = (uint64)arg0;', ...tellHeldRounds(plan), ...other]),
    heartbeat: translated(tellHeldRounds(plan)),
  };
  return programs;
}

const worlds = {
  rounds: await createWorld('rounds'),
  calls: await createWorld('calls'),
  accesses: await createWorld('accesses'),
};

function run(detail: Detail, actions: readonly Action[]) {
  const programs = worlds[detail];
  const state = createProgramState();
  const happened: PrintedLine[][] = Array.from({ length: CPUS }, () => []);
  const told: PrintedLine[][] = Array.from({ length: CPUS }, () => []);
  const began = VIRTQUEUES.map(() => 0n);
  const on = (cpu: number, what: keyof typeof programs, ...args: bigint[]): void => {
    const before = state.printed.length;
    state.cpu = BigInt(cpu);
    programs[what]({ address: args[0] ?? 0n, members: {}, memory: new Map() }, args, state);
    told[cpu]?.push(...state.printed.slice(before));
  };
  for (const { do: what, cpu, queue } of actions) {
    const vq = VIRTQUEUES[queue] ?? 0n;
    const start = began[queue] ?? 0n;
    const now = ++state.now;
    const where = BigInt(cpu);
    const lines = happened[cpu];
    if (what === 'heartbeat') on(cpu, 'heartbeat');
    else if (what === 'print') {
      lines?.push({ tag: 'Z', values: [now, where, vq] });
      on(cpu, 'print', vq);
    } else if (start === 0n) {
      began[queue] = now;
      lines?.push({ tag: 'M', values: [now, where, vq] });
      on(cpu, 'begin', vq);
    } else {
      began[queue] = 0n;
      if (detail === 'calls') lines?.push({ tag: 'X', values: [now, where, vq] });
      const before = start + 7n;
      lines?.push({ tag: 'E', values: [now, where, vq, HANDLER, NUM, CHAIN, before, now] });
      on(cpu, 'end', vq, start, before);
    }
  }
  for (let cpu = 0; cpu < CPUS; cpu++) on(cpu, 'heartbeat');
  return { happened, told, state };
}

describe.each(['rounds', 'calls', 'accesses'] as const)('%s', (detail) => {
  it('tells everything in its order, and counts it', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const { happened, told, state } = run(detail, actions);
        expect(told).toEqual(happened);
        for (const [cpu, lines] of happened.entries()) {
          const rounds = lines.filter(({ tag }) => tag === 'M' || tag === 'E').length;
          expect(state.maps.get(`rounds ${cpu}`) ?? 0n).toBe(BigInt(rounds));
        }
      }),
    );
  });
});

it.each([
  ['rounds', 2],
  ['calls', 4],
  ['accesses', 8],
] as const)('four rounds on one CPU take, at %s, %i printfs', (detail, prints) => {
  const turns = Array.from({ length: 8 }, (): Action => ({ do: 'turn', cpu: 0, queue: 0 }));
  expect(run(detail, turns).state.prints).toBe(prints);
});
