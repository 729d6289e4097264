import { expect, it, describe } from 'vitest';
import { VHOST_SET_VRING_ADDR, VHOST_SET_VRING_NUM } from '../recording-program/ring-ioctl.js';
import type { PerfEvent } from './probe-definitions.js';
import { createToldByPerf, type ToldByPerf } from './told-by-perf.js';

const MUTEX = 8;
const VQ = 0xffff_8880_0000_1000n;
const OTHER_VQ = VQ + 0x4000n;
const DEV = 0xffff_8880_0000_0000n;
const MM = 0xffff_8880_0900_0000n;
const RING = {
  num: 256,
  last_avail: 10,
  avail_idx: 12,
  last_used: 10,
  used_flags: 1,
  features: 0n,
  signalled: 1,
  call: 1,
  iotlb: 0,
};
const WHO = { dev: DEV, mm: MM, owner: 77, notifiers: 1, count: 2, vq0: VQ, vq1: OTHER_VQ };
const PLACE = { desc: 0x7f00_0000_0000n, avail: 0x7f00_0000_1000n, used: 0x7f00_0000_2000n };
const SET_UP = { ...WHO, ...PLACE };
const mutexOf = (vq: bigint): bigint => vq + BigInt(MUTEX);

type Values = Readonly<Record<string, bigint | number>>;

interface Bench {
  readonly told: ToldByPerf;
  readonly hear: (
    event: PerfEvent,
    values?: Values,
    from?: { thread?: number; cpu?: number },
  ) => void;
  readonly heartbeat: (cpu: number) => void;
  /** What was written since the last call. */
  readonly lines: () => string[];
}

function bench(): Bench {
  let text = '';
  let time = 1000n;
  const told = createToldByPerf(MUTEX, (lines) => (text += lines));
  const from = (cpu: number, thread: number, fields: string) => ({
    name: '',
    time: ++time,
    cpu,
    process: 77,
    thread,
    comm: 'load',
    fields,
  });
  text = '';
  return {
    told,
    hear: (event, values = {}, { thread = 5, cpu = 0 } = {}) => {
      const fields = Object.entries(values)
        .map(
          ([name, value]) =>
            `${name}=${typeof value === 'bigint' ? `0x${value.toString(16)}` : value}`,
        )
        .join(' ');
      told.hear(event, from(cpu, thread, ` (ffffffffc042f010) ${fields}`));
    },
    heartbeat: (cpu) => told.hearHeartbeat(from(cpu, 0, '')),
    lines: () => {
      const lines = text.split('\n').slice(0, -1);
      text = '';
      return lines;
    },
  };
}

const withoutTime = (line: string): string => line.replace(/^(\w+) \d+ \d+ /, '$1 ');

describe('a round', () => {
  it('tells its ring first, and ends where its mutex is let go', () => {
    const { hear, lines } = bench();
    hear('round', { vq: VQ, ...RING, ...SET_UP });
    hear('net_tx_end', {
      mutex: mutexOf(VQ),
      ...RING,
      last_avail: 12,
      last_used: 12,
      used_flags: 0,
    });
    expect(lines()).toEqual([
      'V 1001 0 ffff888000001000 ffff888000000000 77 0 1',
      'I 1001 0 ffff888000001000 0',
      'U 1001 0 ffff888000001000 0 7f0000000000 4096 -',
      'U 1001 0 ffff888000001000 1 7f0000001000 516 -',
      'U 1001 0 ffff888000001000 2 7f0000002000 2052 -',
      'M 1001 0 ffff888000001000',
      'E 1002 0 ffff888000001000 2 256 0 7000a000c000a 6000c000c000c',
    ]);
    hear('round', { vq: VQ, ...RING, ...SET_UP });
    expect(lines().map(withoutTime)).toEqual(['M ffff888000001000']);
  });

  it('does not end where another mutex is let go, or in another thread', () => {
    const { hear, lines } = bench();
    hear('round', { vq: VQ, ...RING, ...SET_UP });
    lines();
    hear('net_tx_end', { mutex: mutexOf(OTHER_VQ), ...RING });
    hear('net_tx_end', { mutex: mutexOf(VQ), ...RING }, { thread: 6 });
    expect(lines()).toEqual([]);
    hear('net_tx_end', { mutex: mutexOf(VQ), ...RING }, { cpu: 1 });
    expect(lines()).toHaveLength(1);
  });

  it('whose end was missed is counted as a line that was lost', () => {
    const { hear, heartbeat, lines } = bench();
    hear('round', { vq: VQ, ...RING, ...SET_UP });
    hear('round', { vq: VQ, ...RING, ...SET_UP });
    heartbeat(0);
    expect(lines().at(-1)).toBe('H 1003 0 5 3 0 0 0 0');
  });

  it('tells again what has changed of its ring, and nothing else', () => {
    const { hear, lines } = bench();
    hear('round', { vq: VQ, ...RING, ...SET_UP });
    lines();
    // Each round by another thread: none of them ends.
    let thread = 1000;
    const tags = (values: Values): string[] => {
      hear('round', { vq: VQ, ...RING, ...SET_UP, ...values }, { thread: thread++ });
      return lines().map((line) => line.slice(0, 1));
    };
    expect(tags({ notifiers: 0 })).toEqual(['V', 'M']);
    expect(tags({ notifiers: 0, features: 1n << 29n })).toEqual(['M']);
    expect(tags({ notifiers: 0, desc: 0x7f00_0001_0000n })).toEqual(['U', 'U', 'U', 'M']);
  });
});

describe('a set-up', () => {
  const asked = { dev: DEV, count: 2, vq0: VQ, vq1: OTHER_VQ, command: VHOST_SET_VRING_ADDR };

  it('drops maps where it begins, and tells the ring where it ends', () => {
    const { hear, lines } = bench();
    hear('set_up', { ...asked, place: 1, entries: 0, address: 5n });
    expect(lines().map(withoutTime)).toEqual(['N ffff888000000000 0 0', 'X ffff888000005000 - -']);
    hear('set_up_state', { mutex: mutexOf(OTHER_VQ), ...RING, ...SET_UP });
    hear('set_up_return');
    expect(lines().map((line) => line.slice(0, 1))).toEqual(['V', 'I', 'U', 'U', 'U', 'N']);
    // It was told, and is told again when it is set up again.
    hear('set_up', { ...asked, command: VHOST_SET_VRING_NUM, place: 1, entries: 256, address: 0n });
    hear('set_up_state', { mutex: mutexOf(OTHER_VQ), ...RING, ...SET_UP });
    expect(lines().map((line) => line.slice(0, 1))).toEqual(['N', 'X', 'I', 'U', 'U', 'U']);
  });

  it('whose argument could not be read tells which ring it is when that is known', () => {
    const { hear, lines } = bench();
    hear('set_up', { ...asked, place: 0, entries: 0, address: 0n });
    expect(lines().map(withoutTime)).toEqual(['N ffff888000000000 0 0']);
    hear('set_up_state', { mutex: mutexOf(OTHER_VQ), ...RING, ...SET_UP });
    expect(lines().map(withoutTime)[0]).toBe('X ffff888000005000 - -');
  });

  it.each([
    ['another command', { command: 0x4008_af12, place: 1 }],
    ['a virtqueue that is not there', { command: VHOST_SET_VRING_NUM, place: 2 }],
  ])('%s is none', (_what, values) => {
    const { hear, lines } = bench();
    hear('set_up', { ...asked, entries: 1, address: 1n, ...values });
    hear('set_up_state', { mutex: mutexOf(VQ), ...RING, ...SET_UP });
    hear('set_up_return');
    expect(lines()).toEqual([]);
  });
});

it('devices are taken, translated by the IOTLB, and given up', () => {
  const { hear, lines, heartbeat } = bench();
  hear('own', { dev: DEV });
  hear('own_return', { result: 0 });
  hear('own', { dev: DEV });
  hear('own_return', { result: -16 });
  hear('iotlb_on', { dev: DEV, count: 2, vq0: VQ, vq1: OTHER_VQ });
  hear('backend', { vq: VQ, backend: 0n });
  hear('backend', { vq: VQ, backend: 5n });
  hear('give_up', { dev: DEV, count: 6, vq0: VQ, vq1: OTHER_VQ, vq2: 1n, vq3: 2n });
  expect(lines().map(withoutTime)).toEqual([
    'N ffff888000000000 1 0',
    'I ffff888000001000 1',
    'I ffff888000005000 1',
    'A ffff888000001000 9 - 1',
    'A ffff888000001000 5 - 1',
    ...['ffff888000001000', 'ffff888000005000', '1', '2'].flatMap((vq) => [
      `X ${vq} - -`,
      `Z ${vq}`,
    ]),
    'N ffff888000000000 0 0',
  ]);
  heartbeat(0);
  // Of the two that cannot be seen something is missing.
  expect(lines()).toEqual(['H 1009 0 13 0 0 2 0 0']);
});

describe('a range', () => {
  const range = {
    range: 0xffff_c900_0000_1000n,
    mm: MM,
    start: 0x7f00_0000_0000n,
    end: 0x7f00_0000_1000n,
    flags: 1,
    cause: 3,
  };

  it('over a ring is told with its returns, behind the stack that is new', () => {
    const { told, hear, lines } = bench();
    hear('round', { vq: VQ, ...RING, ...SET_UP });
    lines();
    const frames = ['__mmu_notifier_invalidate_range_start+0', 'try_to_unmap_one+0', '?'];
    for (let turn = 0; turn < 2; turn++) {
      hear('range_start', range);
      for (const frame of frames) told.hearFrame(frame);
      told.endStack();
      hear('range_start_return');
      hear('range_end', range);
      hear('range_end_return');
    }
    const calls = [
      [1, '1002'],
      [2, '-'],
      [0, '-'],
      [3, '-'],
    ].map(([is, stack]) => `K 77 ${is} 7f0000000000 7f0000001000 3 1 77 ${stack} load`);
    expect(lines().map(withoutTime)).toEqual([
      'stack 1002 0',
      ...frames.map((frame) => `  ${frame}`),
      'stack end',
      ...calls,
      ...calls,
    ]);
  });

  it.each([
    ['in memory of no device', { mm: MM + 1n }, '1 0'],
    ['elsewhere', { start: 0x7f00_0000_2804n, end: 0x7f00_0000_4000n }, '0 1'],
    // As the design tests it, the end is in it.
    ['behind which a ring begins', { start: 0x10n, end: 0x7f00_0000_0000n }, undefined],
    ['at the last byte of one', { start: 0x7f00_0000_2803n, end: 0x7f00_0000_4000n }, undefined],
  ])('%s', (_what, values, filtered) => {
    const { hear, heartbeat, lines } = bench();
    hear('round', { vq: VQ, ...RING, ...SET_UP });
    lines();
    hear('range_start', { ...range, ...values });
    hear('range_start_return');
    hear('range_end', { ...range, ...values });
    hear('range_end_return');
    heartbeat(0);
    const [last, ...told] = lines().toReversed();
    expect(told).toHaveLength(filtered === undefined ? 4 : 0);
    expect(last).toMatch(filtered === undefined ? / 4 0 0 0$/ : new RegExp(` 0 0 ${filtered}$`));
  });

  it('of a process that is gone is not that of the next in its place', () => {
    const { hear, lines } = bench();
    hear('round', { vq: VQ, ...RING, ...SET_UP });
    hear('memory_ends', { mm: MM });
    lines();
    hear('range_start', range);
    hear('range_end', range);
    expect(lines()).toEqual([]);
  });
});
