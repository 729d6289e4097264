/** One virtqueue: its maps over time and now, what invalidated them, what became of its accesses. */
import type {
  AreaView,
  DashboardView,
  QueueDetailView,
  VirtqueueJudgement,
  VirtqueueView,
} from '../dashboard.js';
import { count, countBounds, lasting, moment, rate } from './figures.js';
import type { Frame } from './frame.js';
import { safeName, words, type Look } from './look.js';
import { AREA_NAMES, MAP_TONES, mapSign } from './map-state.js';
import { ratioSpan } from './ratio-span.js';
import { beside, EMPTY_LINE, fitLine, lineOf, span, type Line, type Span } from './styled-line.js';
import { placeColumns, rowLine, titleLine, type Column } from './table.js';
import { inColumns, pairs, section, wrap } from './text-blocks.js';
import { causeName, processName, virtqueueName } from './virtqueue-name.js';

export type QueuePart = Pick<
  DashboardView,
  'queue' | 'virtqueues' | 'design' | 'beside' | 'window' | 'clock'
>;

/** Two columns from here on, three from there on. */
const TWO_COLUMNS = 130;
const THREE_COLUMNS = 200;

export function queueLines(part: QueuePart, { width, look }: Omit<Frame, 'height'>): Line[] {
  const { queue: detail } = part;
  const virtqueue = part.virtqueues.find(({ vq }) => vq === detail?.vq);
  if (virtqueue === undefined || detail === undefined)
    return [lineOf('no virtqueue is chosen: choose one in the overview, and press Enter', 'faint')];
  const columns = width >= THREE_COLUMNS ? 3 : width >= TWO_COLUMNS ? 2 : 1;
  const each = Math.floor(width / columns) - 2;
  return [
    ...nameLines(virtqueue, detail, width, look),
    EMPTY_LINE,
    ...timelineLines(part, virtqueue.chosen.areas, detail, width, look),
    EMPTY_LINE,
    ...inColumns(
      [
        judgementLines(part, virtqueue, each, look),
        rangeLines(detail, each, look),
        accessorLines(detail, each, look),
        attemptLines(detail, each, look),
        hostWorkLines(detail, each, look),
        historyLines(detail, each, look),
      ],
      width,
      columns,
      (parts) => beside(parts, look.glyphs.cut),
    ),
  ];
}

function nameLines(
  virtqueue: VirtqueueView,
  { addresses }: QueueDetailView,
  width: number,
  look: Look,
): Line[] {
  const { owner, num, rates } = virtqueue;
  const known = [
    ...(num === undefined ? [] : [`${num} entries`]),
    ...(owner === undefined ? [] : [`of ${processName(owner, look)}`]),
  ];
  const places = addresses.map(
    ({ first, last }, at) =>
      // An area that is not set up has no first byte.
      `${AREA_NAMES[at] ?? ''} ${last < first ? look.glyphs.nothing : `${hex(first)}-${hex(last)}`}`,
  );
  return [
    [span(virtqueueName(virtqueue), 'title'), span(`  ${known.join(' ')}`)],
    [
      span('per second  ', 'faint'),
      span(
        `rounds ${rate(rates.rounds)}  accesses ${rate(rates.accesses)}  heads ${rate(rates.heads)}  invalidations ${rate(rates.overlapping)}`,
      ),
    ],
    ...addressLines(places, width),
  ];
}

/** On one line where they fit. */
function addressLines(places: readonly string[], width: number): Line[] {
  const title = 'addresses   ';
  const one = places.join('  ');
  if (one === '') return [];
  const lines = title.length + one.length <= width ? [one] : places;
  return lines.map((text, at) =>
    lineOf(`${at === 0 ? title : ' '.repeat(title.length)}${text}`, 'faint'),
  );
}

/** What accesses of each area would have become, over the window. */
function timelineLines(
  { window, clock }: QueuePart,
  areas: readonly AreaView[],
  { timeline }: QueueDetailView,
  width: number,
  look: Look,
): Line[] {
  const { glyphs } = look;
  const name = 8;
  const room = Math.max(10, width - name - 1);
  const when =
    clock.at < window
      ? `since the first event, ${lasting(clock.at, glyphs)} ago`
      : `over the last ${lasting(window, glyphs)}`;
  return [
    [
      span('maps', 'title'),
      span(
        `  ${when}: ${glyphs.up} up, ${glyphs.down} down, ${glyphs.ambiguous} ambiguous, ${glyphs.none} no access`,
        'faint',
      ),
    ],
    ...timeline.map((states, at): Line => [
      span(`  ${(AREA_NAMES[at] ?? '').padEnd(name - 2)}`),
      ...stateSpans(stretched(states, room), look),
    ]),
    ...reasonLines(areas, width, look),
  ];
}

/** Why maps are not up; areas of which the same is to be said share a line. */
function reasonLines(areas: readonly AreaView[], width: number, look: Look): Line[] {
  const told = new Map<string, { readonly area: AreaView; readonly names: string[] }>();
  for (const [at, area] of areas.entries()) {
    if (area.reason === undefined) continue;
    const key = `${area.map} ${area.reason}`;
    const same = told.get(key) ?? { area, names: [] };
    same.names.push(AREA_NAMES[at] ?? '');
    told.set(key, same);
  }
  return Array.from(told.values(), ({ area: { map, reason = '' }, names }) => {
    const where = `  ${names.join(', ')} `;
    const state = `${map}: `;
    const indent = where.length + state.length;
    return wrap(words(reason, look), width - indent).map((line, at) =>
      at === 0
        ? [span(where), span(state, MAP_TONES[map]), ...line]
        : [span(' '.repeat(indent)), ...line],
    );
  }).flat();
}

type Slice = QueueDetailView['timeline'][number][number];

/** As many cells as there is room for, by whole slices; where there is too little, the last ones. */
function stretched(states: readonly Slice[], room: number): Slice[] {
  const times = Math.max(1, Math.floor(room / Math.max(1, states.length)));
  return states.slice(-room).flatMap((state) => Array.from({ length: times }, () => state));
}

function stateSpans(states: readonly Slice[], { glyphs }: Look): Span[] {
  const spans: Span[] = [];
  let from = 0;
  for (let at = 1; at <= states.length; at++) {
    const state = states[from];
    if (state === undefined || states[at] === state) continue;
    spans.push(span(mapSign(state, glyphs).repeat(at - from), MAP_TONES[state]));
    from = at;
  }
  return spans;
}

/** By the chosen design, and by the one beside it. */
function judgementLines(
  { design, beside: second }: QueuePart,
  virtqueue: VirtqueueView,
  width: number,
  look: Look,
): Line[] {
  const judged = [
    { name: design, judgement: virtqueue.chosen },
    ...(second === undefined || virtqueue.beside === undefined
      ? []
      : [{ name: second, judgement: virtqueue.beside }]),
  ];
  return judged.flatMap(({ name, judgement }) =>
    section(words(name, look), oneJudgement(judgement, width - 2, look)),
  );
}

function oneJudgement(
  { total, window, areas, reasons, count: bounds }: VirtqueueJudgement,
  width: number,
  look: Look,
): Line[] {
  const { glyphs } = look;
  const maps = areas.map(({ map }, at) => `${AREA_NAMES[at] ?? ''} ${map}`).join(', ');
  return [
    [span('hits now  ', 'faint'), ratioSpan(window, glyphs)],
    [
      span('in all    ', 'faint'),
      ratioSpan(total, glyphs),
      span(
        ` of ${count(total.accesses)}: ${count(total.fallbacks + total.iotlb)} fallbacks, ${count(total.ambiguous)} ambiguous`,
      ),
    ],
    fitLine([span('maps      ', 'faint'), span(maps)], width, glyphs.cut),
    [span('count     ', 'faint'), span(countBounds(bounds, glyphs))],
    ...pairs(
      reasons.map(([reason, accesses]) => [words(reason, look), count(accesses)] as const),
      width,
      glyphs.cut,
    ),
  ];
}

function rangeLines({ ranges, callbacks }: QueueDetailView, width: number, look: Look): Line[] {
  const placed = placeColumns(rangeColumns(look), width - 2);
  const rows: readonly Line[] =
    ranges.length === 0
      ? [lineOf('none', 'faint')]
      : [titleLine(placed, look.glyphs), ...ranges.map((row) => rowLine(placed, row, look.glyphs))];
  return [
    ...section('last ranges over its rings', rows),
    ...(callbacks.length === 0
      ? []
      : section(
          'callbacks under way',
          callbacks.map((one) => lineOf(words(one, look))),
        )),
  ];
}

type Range = QueueDetailView['ranges'][number];

function rangeColumns(look: Look): Column<Range>[] {
  const { glyphs } = look;
  return [
    { title: 'at', width: 12, align: 'right', dispensable: 0, cell: ({ at }) => span(moment(at)) },
    {
      title: 'lasted',
      width: 9,
      align: 'right',
      dispensable: 1,
      cell: ({ lasted }) =>
        lasted === undefined
          ? span('under way', 'bad')
          : span(lasted === 'not known' ? lasted : lasting(lasted, glyphs)),
    },
    {
      title: 'cause',
      width: 12,
      most: 22,
      align: 'left',
      dispensable: 0,
      cell: (row) => span(causeName(row, look)),
    },
    {
      title: 'process',
      width: 14,
      most: 26,
      align: 'left',
      dispensable: 2,
      cell: (row) => span(processName(row, look)),
    },
    {
      title: 'range',
      width: 25,
      align: 'left',
      dispensable: 3,
      cell: ({ start, end }) => span(`${hex(start)}-${hex(end)}`, 'faint'),
    },
  ];
}

function accessorLines({ accessors }: QueueDetailView, width: number, look: Look): Line[] {
  type Row = QueueDetailView['accessors'][number];
  const number = (title: string, of: (row: Row) => number): Column<Row> => ({
    title,
    width: 9,
    align: 'right',
    dispensable: 1,
    cell: (row) => span(count(of(row))),
  });
  const columns: Column<Row>[] = [
    {
      title: 'accessor',
      width: 16,
      most: 24,
      align: 'left',
      dispensable: 0,
      cell: ({ name }) => span(safeName(name, look)),
    },
    number('accesses', ({ decided }) => decided.accesses),
    number('fallbacks', ({ decided }) => decided.fallbacks + decided.iotlb),
    number('ambiguous', ({ decided }) => decided.ambiguous),
    {
      title: 'hits',
      width: 15,
      align: 'right',
      dispensable: 0,
      cell: ({ decided }) => ratioSpan(decided, look.glyphs),
    },
  ];
  const placed = placeColumns(columns, width - 2);
  return section('accessors, in all', [
    titleLine(placed, look.glyphs),
    ...accessors.map((row) => rowLine(placed, row, look.glyphs)),
  ]);
}

function attemptLines({ attempts }: QueueDetailView, width: number, look: Look): Line[] {
  return section(
    'attempts to map, in all',
    attempts.length === 0
      ? [lineOf('none', 'faint')]
      : pairs(
          attempts.map(([outcome, times]) => [words(outcome, look), count(times)] as const),
          width - 2,
          look.glyphs.cut,
        ),
  );
}

/** Nothing where there is none. */
function hostWorkLines({ hostWork }: QueueDetailView, width: number, look: Look): Line[] {
  if (hostWork.length === 0) return [];
  return section(
    'whatever the design, in all',
    pairs(
      hostWork.map(([what, times]) => [words(what, look), count(times)] as const),
      width - 2,
      look.glyphs.cut,
    ),
  );
}

function historyLines({ history }: QueueDetailView, width: number, look: Look): Line[] {
  return section(
    'last events',
    history.map(({ at, line, what }) =>
      fitLine(
        [
          span(moment(at).padStart(12)),
          span(`  line ${line}  `, 'faint'),
          span(safeName(what, look)),
        ],
        width - 2,
        look.glyphs.cut,
      ),
    ),
  );
}

function hex(value: bigint): string {
  return value.toString(16);
}
