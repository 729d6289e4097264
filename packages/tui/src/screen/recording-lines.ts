/** How the trace came to be and how far to trust it; what this program takes. */
import { byteSize } from '@vhostscope/terminal';
import type { RecordingView, SourceView } from '../dashboard.js';
import { count, lasting, moment } from './figures.js';
import type { Frame } from './frame.js';
import { words, type Look } from './look.js';
import { beside, lineOf, span, type Line, type Tone } from './styled-line.js';
import { placeColumns, rowLine, titleLine, type Column } from './table.js';
import { inColumns, pairs, section, wrap } from './text-blocks.js';

const TWO_COLUMNS = 120;

export function recordingLines(
  recording: RecordingView,
  { problems, kind }: Pick<SourceView, 'problems' | 'kind'>,
  keptUntil: number | undefined,
  { width, look }: Omit<Frame, 'height'>,
): Line[] {
  const columns = width >= TWO_COLUMNS ? 2 : 1;
  const each = Math.floor(width / columns) - 4;
  const { cut } = look.glyphs;
  const counts = (rows: readonly (readonly [string, number])[]): Line[] =>
    rows.length === 0
      ? [lineOf('none', 'faint')]
      : pairs(
          rows.map(([name, number]) => [words(name, look), count(number)] as const),
          each,
          cut,
        );
  const [completeness, tone] = COMPLETE[recording.complete];
  return inColumns(
    [
      section('complete', [
        ...wrap(completeness, each, tone),
        ...problems.flatMap((problem) => wrap(words(problem, look), each, 'bad')),
      ]),
      section(
        'recording',
        pairs(
          recording.facts.map(([name, value]) => [words(name, look), words(value, look)] as const),
          each,
          cut,
        ),
      ),
      section('how it is judged', [
        ...wrap(words(recording.order, look), each),
        ...recording.assumptions.flatMap((one) => wrap(`- ${words(one, look)}`, each)),
      ]),
      section('this program', [
        ...pairs(ownRows(recording, kind, look), each, cut),
        ...(keptUntil === undefined ? [] : wrap(whatIsKept(keptUntil), each, 'doubt')),
      ]),
      section('lost', counts(recording.lost)),
      section('left out by the filter in the kernel', counts(recording.filtered)),
      section('events', counts(recording.counts)),
      ...(recording.plan.length === 0
        ? []
        : [section('probes', planLines(recording.plan, each, look))]),
    ],
    width,
    columns,
    (parts) => beside(parts, cut),
  );
}

const COMPLETE: Readonly<Record<RecordingView['complete'], readonly [string, Tone]>> = {
  yes: ['yes, as counted in the kernel', 'good'],
  no: [
    'NO: events are missing, or may be; answers may be wrong, also where they are not ambiguous',
    'bad',
  ],
  'not known': ['not known: nobody counted what the kernel told', 'doubt'],
  'not known yet': ['not known yet: the recording says so as it ends', 'doubt'],
};

function whatIsKept(until: number): string {
  return `--keep is used up: one can go to any moment up to ${moment(until)}; what comes later is shown live only, and no other design can be chosen`;
}

function ownRows(
  { waiting, isText, kept, own }: RecordingView,
  kind: SourceView['kind'],
  { glyphs }: Look,
): (readonly [string, string])[] {
  return [
    // Of a file that is all there nothing is waited for.
    ...(kind === 'file'
      ? []
      : ([
          [
            'waiting',
            `${count(waiting.events)} events, the slowest CPU is ${lasting(waiting.lag, glyphs)} behind`,
          ],
        ] as const)),
    [
      'kept to go back',
      kind === 'file' || kind === 'growing file'
        ? `all, in ${isText ? 'a trace made of the text' : 'the file'}: ${byteSize(kept.bytes)}`
        : `${byteSize(kept.bytes)} of at most ${byteSize(kept.most)}`,
    ],
    ['CPU', `${(own.cpu * 100).toFixed(1)} % of one`],
    ['memory', byteSize(own.memory)],
  ];
}

type Probe = RecordingView['plan'][number];

function planLines(plan: readonly Probe[], width: number, look: Look): Line[] {
  const columns: Column<Probe>[] = [
    {
      title: 'event',
      width: 14,
      most: 26,
      align: 'left',
      dispensable: 0,
      cell: ({ event }) => span(words(event, look)),
    },
    {
      title: 'sure',
      width: 8,
      most: 12,
      align: 'left',
      dispensable: 1,
      cell: ({ sureness }) => span(words(sureness, look)),
    },
    {
      title: 'by',
      width: 20,
      most: 80,
      align: 'left',
      dispensable: 0,
      cell: ({ way }) => span(words(way, look)),
    },
  ];
  const placed = placeColumns(columns, width - 2);
  return [titleLine(placed, look.glyphs), ...plan.map((row) => rowLine(placed, row, look.glyphs))];
}
