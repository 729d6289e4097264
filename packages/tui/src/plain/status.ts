/** What a line a second tells: the numbers of a moment, for programs and as a line of text. */
import { z } from 'zod';
import type { DashboardView, Decided, VirtqueueJudgement } from '../dashboard.js';

export const decidedSchema = z.object({
  accesses: z.number(),
  hits: z.number(),
  fallbacks: z.number(),
  iotlb: z.number(),
  ambiguous: z.number(),
  estimated: z.boolean().describe('whether the counts are estimates'),
});

const judgementSchema = z.object({
  total: decidedSchema.describe('of all the trace up to the moment'),
  window: decidedSchema.describe('of the window before the moment'),
});

export const rateSchema = z
  .number()
  .nullable()
  .describe('per second in the window; null where too little of it has passed');

/** A line of `tui --json`. Times are ns since the first event. */
export const statusSchema = z.object({
  at: z.number().describe('the moment the numbers are of: ns since the first event'),
  boottime: z.string().describe('the same moment: ns of CLOCK_BOOTTIME, decimal'),
  end: z.number().describe('the newest moment there is: ns since the first event'),
  behind: z
    .number()
    .describe('ns; while live: how far at is behind the newest event that has arrived'),
  source: z.object({
    name: z.string(),
    kind: z.enum(['socket', 'pipe', 'growing file', 'file', 'server']),
    state: z.enum(['waiting', 'reading', 'gone', 'ended']),
    problems: z.array(z.string()),
  }),
  complete: z.enum(['yes', 'no', 'not known', 'not known yet']),
  design: z.string(),
  beside: z.string().nullable(),
  window: z.number().describe('ns'),
  events: z.number(),
  chosen: judgementSchema,
  beside_chosen: judgementSchema.nullable(),
  rates: z.object({
    rounds: rateSchema,
    accesses: rateSchema,
    heads: rateSchema,
    overlapping: rateSchema,
    ranges: rateSchema,
  }),
  virtqueues: z.array(
    z.object({
      id: z.number(),
      dev: z.number().nullable(),
      chosen: judgementSchema,
      beside: judgementSchema.nullable(),
      maps: z.array(z.enum(['up', 'down', 'ambiguous', 'unknown'])).describe('desc, avail, used'),
      rounds: rateSchema,
      accesses: rateSchema,
      overlapping: rateSchema,
    }),
  ),
  storms: z
    .array(
      z.object({
        number: z.number(),
        dev: z.number(),
        begin: z.number(),
        ranges: z.number(),
        causes: z.array(z.tuple([z.string(), z.number()])),
      }),
    )
    .describe('those that are under way'),
  storms_so_far: z.number().describe('how many there were, with those under way'),
});

export type Status = z.infer<typeof statusSchema>;

export function statusOf(view: DashboardView): Status {
  const { clock, source, rates } = view;
  return {
    at: clock.at,
    boottime: clock.boottime.toString(),
    end: clock.end,
    behind: clock.behind,
    source: {
      name: source.name,
      kind: source.kind,
      state: source.state,
      problems: [...source.problems],
    },
    complete: view.recording.complete,
    design: view.design,
    beside: view.beside ?? null,
    window: view.window,
    events: clock.events,
    chosen: judged(view.total),
    beside_chosen: view.besideTotal === undefined ? null : judged(view.besideTotal),
    rates: {
      rounds: told(rates.rounds),
      accesses: told(rates.accesses),
      heads: told(rates.heads),
      overlapping: told(rates.overlapping),
      ranges: told(rates.ranges),
    },
    virtqueues: view.virtqueues.map((one) => ({
      id: one.vq,
      dev: one.dev ?? null,
      chosen: judged(one.chosen),
      beside: one.beside === undefined ? null : judged(one.beside),
      maps: one.chosen.areas.map(({ map }) => map),
      rounds: told(one.rates.rounds),
      accesses: told(one.rates.accesses),
      overlapping: told(one.rates.overlapping),
    })),
    storms: view.storms
      .filter(({ isOver }) => !isOver)
      .map(({ number, dev, begin, ranges, causes }) => ({
        number,
        dev,
        begin,
        ranges,
        causes: causes.map(([name, of]) => [name, of]),
      })),
    storms_so_far: view.storms.reduce((most, { number }) => Math.max(most, number), 0),
  };
}

export function told(rate: number): number | null {
  return Number.isNaN(rate) ? null : rate;
}

function judged({ total, window }: VirtqueueJudgement): Status['chosen'] {
  return { total: decided(total), window: decided(window) };
}

export function decided({
  accesses,
  hits,
  fallbacks,
  iotlb,
  ambiguous,
  isEstimated,
}: Decided): Status['chosen']['total'] {
  return { accesses, hits, fallbacks, iotlb, ambiguous, estimated: isEstimated };
}
