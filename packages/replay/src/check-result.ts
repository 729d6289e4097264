/** The result of `replay check`, as `--json` prints it. */
import type {
  AccessCheckOptions,
  AccessorRules,
  CheckedVirtqueue,
  KeptChain,
  RecentEvent,
  RejectedEvent,
} from '@vhostscope/model';
import type { OpenTrace } from '@vhostscope/trace';
import { z } from 'zod';
import type { Completeness } from './completeness.js';
import { liveSinceOf, liveSinceSchema } from './event-place.js';
import { listVirtqueues } from './recording-list.js';
import type { Checked } from './span-check.js';
import { describeSpan, spanSchema, type TimeSpan } from './time-span.js';

/** What the answer takes for granted. */
export type Assumptions = Required<AccessCheckOptions> & { readonly rules: AccessorRules };

const count = z.number().int().nonnegative();

const place = z.object({
  recording: count,
  /** Line of the input, from 1. */
  line: count,
  /** ns, CLOCK_BOOTTIME, decimal. */
  time: z.string(),
  cpu: count,
  vq: count,
  /**
   * Number of the access among those of the virtqueue, from 1, as `replay explain --vq ID --access N`
   * takes it; of a round or an ioctl, that of the next access.
   */
  access: count,
});

/** Accesses and marks of the virtqueue, oldest first. */
const before = z.array(
  z.object({
    line: count,
    time: z.string(),
    cpu: count,
    /** An accessor, or the name of an event. */
    event: z.string(),
    /** Of a put_used; null of all else. */
    entries: count.nullable(),
  }),
);

export const checkResultSchema = z.object({
  trace: z.string(),
  /** Rules that the accesses were held against. */
  kernel: z.string(),
  handlers: z.enum(['net', 'net_rx', 'net_tx', 'any']),
  /** Whether calls may fail. */
  failures: z.boolean(),
  chain_length: z.union([z.literal('auto'), z.literal('any'), count]),
  /** When the first event of a live recording was, ns, decimal; null of an imported text. */
  live_since: liveSinceSchema,
  /** What was counted, from the first time to before the second; null for all of the trace. */
  span: spanSchema,
  /** Whether every event arrived; null when nobody counted. */
  complete: z.boolean().nullable(),
  /** How many were lost, decimal, by who lost them. */
  lost: z.record(z.string(), z.string()),
  damage: z.array(z.string()),
  accesses: count,
  /** Those whose place in the rules is known. judged = accepted + rejected accesses. */
  judged: count,
  accepted: count,
  /** Accesses, rounds and ioctls that the rules cannot have produced where they stand. */
  rejected: count,
  /** Chains that the rules allow, and that contradict what is assumed of their virtqueue's chains. */
  unusual_chains: count,
  virtqueues: z.array(
    z.object({
      id: count,
      recording: count,
      dev: count.nullable(),
      accesses: count,
      judged: count,
      accepted: count,
      rejected: count,
      /** Why none was judged: counted, not ordered; no entries of a put_used; no round or reset. */
      not_judged: z.enum(['counted', 'no_entries', 'no_start']).nullable(),
      /** Chains by their descriptors; the key 64 stands for that many or more. */
      chains: z.record(z.string(), count),
      /** With chain_length auto: descriptors that each chain is assumed to have; null when any number. */
      assumed_chain_length: count.nullable(),
      unusual_chains: count,
    }),
  ),
  /** The first of each virtqueue. */
  rejections: z.array(
    place.extend({
      /** An accessor, round, set-up (an ioctl of the ring's addresses) or reset. */
      found: z.string(),
      entries: count.nullable(),
      /** What the rules allow there; of put_used, entries from and to. */
      expected: z.array(
        z.object({ event: z.string(), entries: z.tuple([count, count]).nullable() }),
      ),
      before,
    }),
  ),
  /** The first of each virtqueue and length; the place is that of the last get_desc. */
  first_unusual_chains: z.array(place.extend({ descriptors: count, before })),
});
export type CheckResult = z.infer<typeof checkResultSchema>;

export function checkResult(
  trace: OpenTrace,
  check: Checked,
  { rules, handlers, failures, chainLength }: Assumptions,
  completeness: Completeness,
  span: TimeSpan | undefined,
): CheckResult {
  const checked = new Map(check.virtqueues().map((virtqueue) => [virtqueue.vq, virtqueue]));
  const virtqueues = listVirtqueues(trace).map(({ id, recording, dev }) => ({
    id,
    recording,
    dev: dev ?? null,
    ...describeVirtqueue(checked.get(id)),
  }));
  const sum = (of: (virtqueue: (typeof virtqueues)[number]) => number): number =>
    virtqueues.reduce((total, virtqueue) => total + of(virtqueue), 0);
  return {
    trace: trace.name,
    kernel: rules.name,
    handlers,
    failures,
    chain_length: chainLength,
    live_since: liveSinceOf(trace),
    span: describeSpan(span),
    complete: completeness.complete,
    lost: { ...completeness.lost },
    damage: [...completeness.damage],
    accesses: sum(({ accesses }) => accesses),
    judged: sum(({ judged }) => judged),
    accepted: sum(({ accepted }) => accepted),
    rejected: sum(({ rejected }) => rejected),
    unusual_chains: sum(({ unusual_chains }) => unusual_chains),
    virtqueues,
    rejections: check.rejections().map(describeRejection),
    first_unusual_chains: check.unusualChains().map(describeChain),
  };
}

type VirtqueueResult = CheckResult['virtqueues'][number];

function describeVirtqueue(
  checked: CheckedVirtqueue | undefined,
): Omit<VirtqueueResult, 'id' | 'recording' | 'dev'> {
  const chains = [...(checked?.chains ?? []).entries()].filter(([, chainCount]) => chainCount > 0);
  return {
    accesses: checked?.accesses ?? 0,
    judged: checked?.judged ?? 0,
    accepted: checked?.accepted ?? 0,
    rejected: checked?.rejected ?? 0,
    not_judged: checked?.notJudged ?? null,
    chains: Object.fromEntries(chains),
    assumed_chain_length: checked?.habit?.length ?? null,
    unusual_chains: checked?.habit?.unusual ?? 0,
  };
}

function describeRejection(rejected: RejectedEvent): CheckResult['rejections'][number] {
  const { found, entries, expected, marksExpected } = rejected;
  const marks = marksExpected ? ['round', 'set-up', 'reset'] : [];
  return {
    ...placeOf(rejected),
    found,
    entries: found === 'put_used' ? entries : null,
    expected: [
      ...expected.map(({ accessor, entries: [least, most] }) => ({
        event: accessor,
        entries: accessor === 'put_used' ? ([least, most] satisfies [number, number]) : null,
      })),
      ...marks.map((event) => ({ event, entries: null })),
    ],
    before: rejected.before.map(describeRecent),
  };
}

function describeChain(chain: KeptChain): CheckResult['first_unusual_chains'][number] {
  return {
    ...placeOf(chain),
    descriptors: chain.length,
    before: chain.before.map(describeRecent),
  };
}

function placeOf(event: RejectedEvent | KeptChain): z.infer<typeof place> {
  const { recording, line, time, cpu, vq, number } = event;
  return { recording, line, time: String(time), cpu, vq, access: number };
}

function describeRecent(recent: RecentEvent): z.infer<typeof before>[number] {
  const { line, time, cpu, event, accessor, entries } = recent;
  return {
    line,
    time: String(time),
    cpu,
    event: accessor ?? event,
    entries: accessor === 'put_used' ? entries : null,
  };
}
