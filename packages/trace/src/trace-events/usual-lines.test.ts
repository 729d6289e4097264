import { createEventLine, KIND, SLOT, TIME_SLOT } from '@vhostscope/model';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEventBuilder, type EventBuilder } from '../event-builder.js';
import { createFieldPlaces, readFields } from './event-fields.js';
import { createEventNames, findPlan } from './event-plans.js';
import { createTraceLine, readTraceLine, takeTime, type Joint } from './trace-line.js';
import { createUsualLines, rememberLine, type UsualLines } from './usual-lines-memory.js';
import { readUsualLines } from './usual-lines.js';

const VQ = 7;

/** What the general reader makes of a line, without its LF; undefined where it is none of the two. */
function readGenerally(
  text: string,
  joint: Joint,
):
  | {
      time: bigint;
      cpu: number;
      kind: number;
      vq: bigint;
      accessor: number;
      observed: number;
      entries: number;
    }
  | undefined {
  const bytes = Buffer.from(`${text}\n`, 'latin1');
  const lf = bytes.length - 1;
  const line = createTraceLine();
  const event = createEventLine();
  if (!readTraceLine(bytes, 0, lf, joint, line) || !line.isEvent) return undefined;
  const plan = findPlan(createEventNames(), bytes, line.nameStart, line.nameEnd);
  if (
    plan === undefined ||
    !readFields(plan, bytes, line.restStart, lf, event, createFieldPlaces())
  )
    return undefined;
  if (!takeTime(bytes, line, event)) return undefined;
  const { words } = event;
  const wide = (slot: number): bigint =>
    (BigInt(words[2 * slot + 1]) << 32n) | BigInt(words[2 * slot]);
  const isAccess = event.kind === KIND.access;
  return {
    time: wide(TIME_SLOT),
    cpu: line.cpu,
    kind: event.kind,
    vq: wide(SLOT.vq),
    accessor: isAccess ? words[2 * SLOT.accessor] : 0,
    observed: isAccess ? words[2 * SLOT.observed] & 0xff : 0xff,
    entries: isAccess && words[2 * SLOT.accessor] === 8 ? words[2 * SLOT.entries] : 0,
  };
}

/** What is remembered of lines. */
function learn(learnt: readonly string[], joint: Joint): UsualLines {
  const memory = createUsualLines();
  const line = createTraceLine();
  const event = createEventLine();
  const places = createFieldPlaces();
  for (const one of learnt) {
    const bytes = Buffer.from(`${one}\n`, 'latin1');
    const lf = bytes.length - 1;
    expect(readTraceLine(bytes, 0, lf, joint, line)).toBe(true);
    const plan = findPlan(createEventNames(), bytes, line.nameStart, line.nameEnd);
    if (plan === undefined) throw new Error(one);
    expect(readFields(plan, bytes, line.restStart, lf, event, places)).toBe(true);
    rememberLine(memory, bytes, 0, lf, line, event.kind, places, VQ);
  }
  return memory;
}

function buildersFor(learnt: readonly string[], joint: Joint): EventBuilder[] {
  const builders: EventBuilder[] = [];
  for (const one of learnt) {
    const cpu = readGenerally(one, joint)?.cpu ?? 0;
    builders[cpu] = createEventBuilder(cpu, 2, 2);
  }
  return builders;
}

/** Reads `text` after lines that were learnt. */
function readUsually(
  learnt: readonly string[],
  text: string,
  joint: Joint,
): { taken: boolean; builder: EventBuilder | undefined } {
  const memory = learn(learnt, joint);
  const builders = buildersFor(learnt, joint);
  // Room behind it, as in a chunk: the last lines of the bytes are left to the general reader.
  const bytes = Buffer.from(`${text}\n${'\0'.repeat(400)}`, 'latin1');
  const end = text.length + 1;
  const latest = createEventBuilder(4000, 2, 2);
  const next = readUsualLines(memory, bytes, 0, end, builders, latest, 1, 1);
  expect([0, end]).toContain(next);
  expect(memory.lines).toBe(next === 0 ? 0 : 1);
  return { taken: next > 0, builder: next > 0 ? memory.builder : undefined };
}

/** Whatever it takes, the general reader takes too, with the same values. */
function expectAgreement(learnt: readonly string[], text: string, joint: Joint): boolean {
  const { taken, builder } = readUsually(learnt, text, joint);
  if (!taken) return false;
  expectAlike(builder, learnt, text, joint);
  return true;
}

function expectAlike(
  builder: EventBuilder | undefined,
  learnt: readonly string[],
  text: string,
  joint: Joint,
): void {
  if (builder === undefined) throw new Error('nobody took it');
  const general = readGenerally(text, joint);
  expect({
    time: (BigInt(builder.time[1] ?? 0) << 32n) | BigInt(builder.time[0] ?? 0),
    cpu: builder.cpu,
    kind: builder.kind[0],
    accessor: builder.accessor[0],
    observed: builder.observed[0],
    entries: builder.detailCount === 1 ? builder.details.entries[0] : 0,
  }).toEqual({ ...general, vq: undefined, time: general?.time });
  expect(builder.vq[0]).toBe(VQ);
  expect(learnt.map((one) => readGenerally(one, joint)?.vq)).toContain(general?.vq);
  expect(builder.otherCount).toBe(general?.kind === KIND.round ? 1 : 0);
  expect(builder.n[0]).toBe(general?.kind === KIND.round ? 0 : 1);
}

const LAYOUTS: readonly (readonly [what: string, joint: Joint, lines: readonly string[]])[] = [
  [
    'perf script --ns',
    'blank',
    [
      '       vhost-193   198 [000]    30.417591639:   vho:access: (ffffffffc04ddaf0) vq=0xffff8c3ecbc94b50 accessor=9 hit=1 count=1',
      '       vhost-193   198 [000]    30.499062714:    vho:round: (ffffffffc04df650) vq=0xffff8c3ecbc94b50',
    ],
  ],
  [
    'perf script -F pid,tid, microseconds',
    'blank',
    [
      '           vload   193/193   [012]  1030.417591:   vho:round: (ffffffffc04df650) vq=0xffff8c3ecbc94b50',
      '           vload   193/193   [012]  1030.417592:   vho:access: (ffffffffc04ddaf0) vq=0xffff8c3ecbc94b50 accessor=8 hit=0 count=12',
    ],
  ],
  [
    'ftrace',
    'dash',
    [
      '   vhost-219-223     [001] .N.1.    40.417591: access: (vho_access+0x0/0x10 [vhost]) vq=0xffff8c3ecbc94b50 accessor=10 hit=2 count=1',
      '   vhost-219-223     [001] .N.1.    40.417592: round: (vq_meta_prefetch+0x0/0x10 [vhost]) vq=0xffff8c3ecbc94b50',
    ],
  ],
];

test.each(LAYOUTS)('%s: lines like those that were learnt are taken', (_what, joint, learnt) => {
  for (const line of learnt) {
    expect(expectAgreement(learnt, line, joint)).toBe(true);
    const later = line.replace(
      /\d\.(\d{4})\d/,
      (time) => String(9 - Number(time[0])) + time.slice(1),
    );
    expect(expectAgreement(learnt, later, joint)).toBe(true);
  }
  const [access] = learnt.filter((line) => line.includes('accessor='));
  for (let accessor = 1; accessor <= 10; accessor++)
    for (const hit of [0, 1, 2])
      expect(
        expectAgreement(
          learnt,
          (access ?? '').replace(
            /accessor=.*/,
            `accessor=${accessor} hit=${hit} count=${accessor * 37}`,
          ),
          joint,
        ),
      ).toBe(true);
});

test.each(LAYOUTS)(
  '%s: what differs is read alike or left to the general reader',
  (_what, joint, learnt) => {
    const given = fc.record({
      line: fc.constantFrom(...learnt),
      at: fc.nat(140),
      drop: fc.nat(3),
      put: fc.oneof(
        fc.string({ unit: 'binary', maxLength: 3 }),
        fc.stringMatching(/^[0-9a-fx.:= ]{0,4}$/),
      ),
    });
    let taken = 0;
    fc.assert(
      fc.property(given, ({ line, at, drop, put }) => {
        const text =
          line.slice(0, at) + Buffer.from(put).toString('latin1') + line.slice(at + drop);
        if (text.includes('\n')) return;
        if (expectAgreement(learnt, text, joint)) taken++;
      }),
      { numRuns: 1000 },
    );
    expect(taken).toBeGreaterThan(30);
  },
);

test.each(LAYOUTS)('%s: any byte at any place is read alike or left', (_what, joint, learnt) => {
  const memory = learn(learnt, joint);
  let builders = buildersFor(learnt, joint);
  for (const line of learnt) {
    const bytes = Buffer.from(`${line}\n${'\0'.repeat(400)}`, 'latin1');
    let taken = 0;
    for (let at = 0; at < line.length; at++) {
      const own = bytes[at];
      for (let byte = 0; byte < 256; byte++) {
        if (byte === 0x0a) continue;
        bytes[at] = byte;
        const [latest] = builders.filter((builder) => builder !== undefined);
        if (latest === undefined) throw new Error('no builder');
        if (readUsualLines(memory, bytes, 0, line.length + 1, builders, latest, 1, 1) === 0)
          continue;
        expectAlike(memory.builder, learnt, bytes.toString('latin1', 0, line.length), joint);
        builders = buildersFor(learnt, joint);
        taken++;
      }
      bytes[at] = own ?? 0;
    }
    // The line as it is, once for each of its bytes, and other digits.
    expect(taken).toBeGreaterThan(line.length);
  }
});

test('all times are exact', () => {
  const [, , learnt] = LAYOUTS[0] ?? [];
  const [line = ''] = learnt ?? [];
  const seconds = fc.oneof(fc.nat(99), fc.integer({ min: 0, max: 9_999_999_999 }));
  fc.assert(
    fc.property(seconds, fc.nat(999_999_999), fc.boolean(), (second, nanosecond, isMicro) => {
      const fraction = isMicro
        ? String(nanosecond % 1_000_000).padStart(6, '0')
        : String(nanosecond).padStart(9, '0');
      const timed = line.replace(/ +\d+\.\d+:/, ` ${`${second}.${fraction}`.padStart(15)}:`);
      const general = readGenerally(timed, 'blank');
      if (second > 9_223_372_035) {
        expect(general).toBe(undefined);
        return;
      }
      const time = BigInt(second) * 1_000_000_000n + BigInt(fraction) * (isMicro ? 1000n : 1n);
      expect(general?.time).toBe(time);
      expect(expectAgreement([timed], timed, 'blank')).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
