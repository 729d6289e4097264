/** The result of `replay compare` for people. */
import { findDesign } from '@vhostscope/model';
import { counted, grouped, percent, printable, tableLines } from '@vhostscope/terminal';
import type {
  ComparedDesign,
  ComparedTraceResult,
  CompareResult,
  Verdict,
} from './compare-result.js';
import { RATES_ARE_OF } from './cost-result.js';
import { PINS_MEANING } from './pinned-pages.js';
import { computedRate } from './rate-words.js';
import {
  about,
  callsAreTimed,
  hitRatio,
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
  const off = designs.filter((one) => one.switched_off !== null);
  return [
    `${title}${printable(trace.trace)}`,
    ...(complete === false
      ? [
          'complete    NO: events are missing; answers may be wrong, also where they are not ambiguous',
        ]
      : []),
    ...preemptionLines(trace),
    ...(trace.span === null ? [] : [spanLine(trace.span)]),
    ...orderLines(designs),
    ...assumedLines(trace, said),
    ...off.flatMap(({ design, switched_off: why }, at) =>
      wrapped(at === 0 ? 'off         - ' : '            - ', `${design}: ${why ?? ''}`),
    ),
    '',
    `${counted(designs[0]?.decisions.accesses ?? 0, 'access', 'accesses')}, ${counted(rounds, 'round')}`,
    '',
    ...tableLines(
      [
        textColumn('design'),
        numberColumn('hit ratio'),
        numberColumn('fallback'),
        numberColumn('ambiguous'),
        numberColumn('attempts'),
        ...rates.map((rate) => numberColumn(RATE_TITLE[rate])),
      ],
      designs.map((one) => cells(one, rates)),
    ),
    ...(rates.length === 0
      ? wrapped('packets per second: ', `not known: ${designs[0]?.cost.reason ?? ''}`, '  ')
      : wrapped(
          '',
          `${rates.map((rate) => RATE_TITLE[rate]).join(', ')}: millions of packets per second by the cost model, of ` +
            `${RATES_ARE_OF}; ${rates.includes('calibrated') ? 'from your two rates' : 'replay designs tells what was published'}`,
        )),
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

function rateCell({ cost }: ComparedDesign, kind: RateKind): string {
  const found = cost.rates.find(({ smap }) => (smap ?? 'calibrated') === kind);
  return found === undefined ? '–' : computedRate(found.rate);
}

function cells(one: ComparedDesign, rates: readonly RateKind[]): string[] {
  const { decisions } = one;
  const { accesses, fallbacks, ambiguous, counts } = decisions;
  const isEstimated = counts === 'estimated';
  const share = (part: number): string =>
    about(isEstimated && part > 0 && part < accesses, percent(part, accesses));
  return [
    `${one.design}${one.switched_off === null ? (one.pins_pages ? ' (pins)' : '') : ' (off)'}`,
    hitRatio(decisions),
    share(fallbacks),
    share(ambiguous),
    grouped(one.attempts),
    ...rates.map((kind) => rateCell(one, kind)),
  ];
}

/** What caches that alias would cost. */
function flushLines({ architecture, designs }: ComparedTraceResult): string[] {
  const told = designs.flatMap(({ design, cache_flushes: flushes }) =>
    flushes === null || findDesign(design)?.maps === 'never' ? [] : [{ design, ...flushes }],
  );
  const [first] = told;
  if (first === undefined) return [];
  return [
    '',
    ...wrapped(
      '',
      `flush_dcache_page on ${architecture ?? ''}: calls that hits need, and those of them that come twice where each ` +
        `access is a kmap or goes by copy_to_user_page (derived; ${first.source})`,
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
        grouped(one.before_reads),
        grouped(one.after_writes),
        grouped(one.doubled_by_kunmap),
        grouped(one.doubled_by_copy_to_user_page),
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
