/** The result of `replay compare` for people. */
import { findDesign } from '@vhostscope/model';
import { counted, percent, printable, tableLines } from '@vhostscope/terminal';
import type {
  ComparedDesign,
  ComparedTraceResult,
  CompareResult,
  Verdict,
} from './compare-result.js';
import { RATES_ARE_OF, type Cost } from './cost-result.js';
import { nameWithPins, PINS_MEANING } from './pinned-pages.js';
import { gainText, measuredRate } from './rate-words.js';
import {
  about,
  callsAreTimed,
  countOrSpan,
  hitRatio,
  INCOMPLETE,
  numberColumn,
  preemptionText,
  spanLine,
  textColumn,
  wrapped,
} from './text-parts.js';

export function compareText(result: CompareResult): string {
  const { traces, baseline, against_baseline: verdicts } = result;
  const said: SaidOf = new Map();
  const lines = traces.flatMap((trace) => [...traceLines(trace, said), '']);
  if (baseline !== null) {
    lines.push(
      ...traceLines(baseline, said, 'baseline    '),
      '',
      ...verdictLines(result, verdicts),
      '',
    );
  }
  return lines.join('\n');
}

/** By what is taken for granted, the first trace of which it was told: it is told once. */
type SaidOf = Map<string, string>;

function traceLines(trace: ComparedTraceResult, said: SaidOf, title = 'trace       '): string[] {
  const { designs, rounds, complete } = trace;
  const rates = ratesOf(designs);
  const hasIotlb = designs.some(({ decisions }) => decisions.iotlb > 0);
  const first = designs[0]?.decisions;
  const accesses = counted(first?.accesses ?? 0, 'access', 'accesses');
  const off = designs.filter((one) => one.switched_off !== null);
  return [
    `${title}${printable(trace.trace)}`,
    ...(complete === false ? [INCOMPLETE] : []),
    ...preemptionLines(trace),
    ...(trace.span === null ? [] : [spanLine(trace.span)]),
    ...orderLines(designs),
    ...assumedLines(trace, said),
    ...off.flatMap(({ design, switched_off: why }, at) =>
      wrapped(at === 0 ? 'off         - ' : '            - ', `${design}: ${why ?? ''}`),
    ),
    '',
    `${about(first?.counts === 'estimated', accesses)}, ${counted(rounds, 'round')}`,
    '',
    ...tableLines(
      [
        textColumn('design'),
        numberColumn('hit ratio'),
        numberColumn('fallback'),
        ...(hasIotlb ? [numberColumn('device IOTLB')] : []),
        numberColumn('ambiguous'),
        numberColumn('attempts'),
        ...rates.map((rate) => numberColumn(RATE_TITLE[rate])),
      ],
      designs.map((one) => cells(one, rates, hasIotlb)),
    ),
    ...rateLines(designs, rates),
    ...(designs.some((one) => one.pins_pages) ? wrapped('pins: ', PINS_MEANING, '  ') : []),
    ...flushLines(trace),
  ];
}

/** Which designs go by which order; see `replay run --order`. */
function orderLines(designs: readonly ComparedDesign[]): string[] {
  const by = (['effects', 'ranges'] as const).flatMap((order) => {
    const names = designs.filter((one) => one.order === order).map(({ design }) => design);
    if (names.length === 0) return [];
    return [names.length === designs.length ? order : `${order} for ${names.join(', ')}`];
  });
  return wrapped('order       ', by.join('; '));
}

function assumedLines({ trace, assumptions }: ComparedTraceResult, said: SaidOf): string[] {
  if (assumptions.length === 0) return [];
  const all = assumptions.join('\n');
  const first = said.get(all);
  if (first !== undefined) return [`assumed     as of ${printable(first)}`];
  said.set(all, trace);
  return assumptions.flatMap((one, at) =>
    wrapped(at === 0 ? 'assumed     - ' : '            - ', one),
  );
}

/** How it preempts, with what would leave less open. */
function preemptionLines({ preemption, designs }: ComparedTraceResult): string[] {
  const wouldTell = designs.some(({ design, order, decisions }) => {
    const row = findDesign(design);
    return order === 'ranges' && decisions.ambiguous > 0 && row !== undefined && callsAreTimed(row);
  });
  return wrapped('preemption  ', preemptionText(preemption, wouldTell));
}

/** What rates were measured with. */
type RateKind = 'on' | 'off' | 'calibrated';

const RATE_TITLE: Readonly<Record<RateKind, string>> = {
  on: 'SMAP on',
  off: 'SMAP off',
  calibrated: 'calibrated',
};

/** Those that any of the designs has. */
function ratesOf(designs: readonly ComparedDesign[]): RateKind[] {
  const had = new Set(
    designs.flatMap(({ cost }) => cost.rates.map(({ smap }) => smap ?? 'calibrated')),
  );
  return (['on', 'off', 'calibrated'] as const).filter((kind) => had.has(kind));
}

function rateOf({ cost }: ComparedDesign, kind: RateKind): Cost['rates'][number] | undefined {
  return cost.rates.find(({ smap }) => (smap ?? 'calibrated') === kind);
}

/** What it gains over its own rate with every access copied: those were measured apart, and are no measure of each other. */
function rateCell(one: ComparedDesign, kind: RateKind): string {
  if (findDesign(one.design)?.maps === 'never') return 'baseline';
  const found = rateOf(one, kind);
  return found === undefined ? '–' : gainText(found.rate, found.copied);
}

/** What the columns of rates hold, and what they do not say. */
function rateLines(designs: readonly ComparedDesign[], rates: readonly RateKind[]): string[] {
  if (rates.length === 0) {
    const mapping = designs.find(({ design }) => findDesign(design)?.maps !== 'never');
    const { reason } = (mapping ?? designs[0])?.cost ?? {};
    return wrapped('packets per second: ', `not known: ${reason ?? ''}`, '  ');
  }
  const titles = rates.map((kind) => RATE_TITLE[kind]).join(', ');
  const from = rates.includes('calibrated')
    ? 'from your two rates'
    : 'replay run tells the rates, replay designs what was published';
  const baselines = rates.map((kind) => {
    const copied = designs.flatMap((one) => rateOf(one, kind)?.copied ?? []);
    return [...new Set(copied)].toSorted((a, b) => a - b).map(measuredRate);
  });
  const apart = rates.map((kind, at) => `${RATE_TITLE[kind]} ${baselines[at]?.join(', ') ?? ''}`);
  return [
    ...(baselines.some((different) => different.length > 1)
      ? wrapped(
          'rows are not comparable: ',
          `each gain is over a baseline of its own, and those were measured apart (Mpps: ${apart.join('; ')})`,
          '  ',
        )
      : []),
    ...wrapped(
      `${titles}: `,
      `gain in packets per second by the cost model, over the baseline: every access copied; of ${RATES_ARE_OF}; ${from}`,
      '  ',
    ),
  ];
}

function cells(one: ComparedDesign, rates: readonly RateKind[], hasIotlb: boolean): string[] {
  const { decisions } = one;
  const { accesses, fallbacks, iotlb, ambiguous, counts } = decisions;
  const isEstimated = counts === 'estimated';
  const share = (part: number): string =>
    about(isEstimated && part > 0 && part < accesses, percent(part, accesses));
  return [
    one.switched_off === null ? nameWithPins(one.design, one.pins_pages) : `${one.design} (off)`,
    hitRatio(decisions),
    share(fallbacks),
    ...(hasIotlb ? [share(iotlb)] : []),
    share(ambiguous),
    countOrSpan(one.attempts_span),
    ...rates.map((kind) => rateCell(one, kind)),
  ];
}

const FLUSHES = [
  'before_reads',
  'after_writes',
  'doubled_by_kunmap',
  'doubled_by_copy_to_user_page',
] as const;

/** What caches that alias would cost. */
function flushLines({ architecture, designs }: ComparedTraceResult): string[] {
  const told = designs.flatMap(({ design, cache_flushes: flushes, decisions }) =>
    flushes === null || findDesign(design)?.maps === 'never'
      ? []
      : [{ design, isEstimated: decisions.counts === 'estimated', ...flushes }],
  );
  const [first] = told;
  if (first === undefined) return [];
  return [
    '',
    ...wrapped(
      '',
      `flush_dcache_page on ${architecture ?? ''}: calls that hits need (as many as surely hit, and as may hit), and ` +
        `those of them that come twice where each access is a kmap or goes by copy_to_user_page (derived; ${first.source})`,
    ),
    ...tableLines(
      [
        textColumn('design'),
        numberColumn('before reads'),
        numberColumn('after writes'),
        numberColumn('twice by kunmap'),
        numberColumn('by copy_to_user_page'),
      ],
      told.map((one) => [
        one.design,
        ...FLUSHES.map((name) => {
          const most = one.most[name];
          return about(one.isEstimated && most > 0, countOrSpan([one[name], most]));
        }),
      ]),
    ),
  ];
}

function verdictLines(
  { fail_if_worse: allowed }: CompareResult,
  verdicts: readonly Verdict[],
): string[] {
  return [
    `hit ratio against the baseline, percentage points${allowed === null ? '' : `; more than ${allowed} lower is worse`}`,
    ...tableLines(
      [textColumn('trace'), textColumn('design'), numberColumn('change'), textColumn('worse')],
      verdicts.map(({ trace, design, lower_by: by, is_worse: isWorse }) => [
        printable(trace),
        design,
        by === null ? '–' : changeText(by),
        isWorse === null ? 'cannot be ruled out' : isWorse ? 'yes' : 'no',
      ]),
    ),
  ];
}

/** "-1.25", or "-2.00 … +0.50". */
function changeText([least, most]: readonly [number, number]): string {
  const signed = (lower: number): string => `${lower > 0 ? '-' : '+'}${Math.abs(lower).toFixed(2)}`;
  return least === most ? signed(least) : `${signed(most)} … ${signed(least)}`;
}
