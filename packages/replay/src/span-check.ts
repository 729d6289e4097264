/** The check of accesses within a span: judged with all that came before, and counted in it only. */
import type { AccessCheck, CheckedVirtqueue } from '@vhostscope/model';
import { visitTrace, type OpenTrace } from '@vhostscope/trace';
import { visitSpan, type TimeSpan } from './time-span.js';

/** What a check came to. */
export type Checked = Pick<AccessCheck, 'virtqueues' | 'rejections' | 'unusualChains'>;

type Counts = Pick<CheckedVirtqueue, 'accesses' | 'judged' | 'accepted' | 'rejected' | 'chains'>;

const NOTHING: Counts = { accesses: 0, judged: 0, accepted: 0, rejected: 0, chains: [] };

/** All of the trace goes through the check; what it returns is of the span. */
export function checkSpan(
  trace: OpenTrace,
  check: AccessCheck,
  span: TimeSpan | undefined,
): Checked {
  const inSpan = new Map<number, Counts>();
  let before = new Map<number, Counts>();
  let isInside = true;
  const leave = (): void => {
    for (const { vq, ...now } of check.virtqueues())
      inSpan.set(
        vq,
        combine(
          inSpan.get(vq) ?? NOTHING,
          combine(now, before.get(vq) ?? NOTHING, (a, b) => a - b),
          (a, b) => a + b,
        ),
      );
  };
  const cross = (isNowInside: boolean): void => {
    isInside = isNowInside;
    if (!isInside) return leave();
    before = new Map(
      check.virtqueues().map((one) => [one.vq, { ...one, chains: [...one.chains] }] as const),
    );
    if (inSpan.size === 0) check.describeAnew();
  };
  visitTrace(
    trace.fd,
    trace.index,
    visitSpan(span, cross, (batch, from, to) => check.consume(batch, from, to)),
  );
  if (span === undefined) return check;
  if (isInside) leave();
  const isIn = ({ time }: { readonly time: bigint }): boolean =>
    (span.from === undefined || time >= span.from) && (span.to === undefined || time < span.to);
  return {
    virtqueues: () => check.virtqueues().map((whole) => ofSpan(whole, inSpan.get(whole.vq))),
    rejections: () => check.rejections().filter(isIn),
    unusualChains: () => check.unusualChains().filter(isIn),
  };
}

function combine(a: Counts, b: Counts, of: (a: number, b: number) => number): Counts {
  const length = Math.max(a.chains.length, b.chains.length);
  return {
    accesses: of(a.accesses, b.accesses),
    judged: of(a.judged, b.judged),
    accepted: of(a.accepted, b.accepted),
    rejected: of(a.rejected, b.rejected),
    chains: Array.from({ length }, (_, at) => of(a.chains[at] ?? 0, b.chains[at] ?? 0)),
  };
}

/** What is usual of its chains is told by the whole trace. */
function ofSpan(whole: CheckedVirtqueue, counts: Counts = NOTHING): CheckedVirtqueue {
  const { habit, notJudged } = whole;
  // What was judged of a recording that turns out unfit for it is taken back.
  if (whole.judged === 0) return { ...whole, accesses: counts.accesses };
  const usual = habit === undefined ? 0 : (counts.chains[habit.length] ?? 0);
  const chains = counts.chains.reduce((sum, count) => sum + count, 0);
  return {
    ...whole,
    ...counts,
    notJudged: counts.accesses > 0 && counts.judged === 0 ? notJudged : undefined,
    habit: habit === undefined ? undefined : { ...habit, usual, unusual: chains - usual },
  };
}
