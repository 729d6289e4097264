/** The top of the screen: what is watched, where in it the screen stands, what is wrong; and the names of the views. */
import type { ClockView, DashboardView, SourceView } from '../dashboard.js';
import { keepEnd } from './cell-width.js';
import { designName } from './design-name.js';
import { count, lasting, moment } from './figures.js';
import type { Frame } from './frame.js';
import { safeName, words, type Look } from './look.js';
import { fitLine, span, spread, widthOf, type Line, type Span, type Tone } from './styled-line.js';
import { wrapUpTo } from './text-blocks.js';
import { VIEW_NAMES, type ViewName } from './view-names.js';

export type HeadPart = Pick<
  DashboardView,
  'source' | 'clock' | 'design' | 'beside' | 'pinning' | 'window' | 'wanted' | 'storms'
>;

export function headLines(part: HeadPart, { width, look }: Pick<Frame, 'width' | 'look'>): Line[] {
  const { source, clock, storms } = part;
  const { cut } = look.glyphs;
  const underWay = storms.filter(({ isOver }) => !isOver).length;
  const clockSpans = clockLine(clock, look);
  return [
    spread(sourceLine(source, width - widthOf(clockSpans) - 1, look), clockSpans, width, cut),
    spread(
      [
        span('design ', 'faint'),
        span(designName(part.design, part.pinning, look)),
        ...(part.beside === undefined
          ? []
          : [span('  beside ', 'faint'), span(designName(part.beside, part.pinning, look))]),
        span('  now is the last ', 'faint'),
        span(lasting(part.window, look.glyphs)),
        ...nextSpans(part, look),
      ],
      underWay === 0
        ? [span(`${count(clock.events)} events`, 'faint')]
        : [
            span(
              ` ${underWay === 1 ? 'a storm is' : `${underWay} storms are`} under way `,
              'alarm',
            ),
          ],
      width,
      cut,
    ),
    ...bannerLines(source, width, look),
  ];
}

/** What was chosen and is on its way: the numbers are of what stands before it. */
function nextSpans({ design, beside, pinning, window, wanted }: HeadPart, look: Look): Span[] {
  const next = [
    ...(wanted.design === design ? [] : [designName(wanted.design, pinning, look)]),
    ...(wanted.beside === beside
      ? []
      : [
          wanted.beside === undefined
            ? 'none beside'
            : `beside ${designName(wanted.beside, pinning, look)}`,
        ]),
    ...(wanted.window === window ? [] : [lasting(wanted.window, look.glyphs)]),
  ];
  return next.length === 0 ? [] : [span('  next ', 'faint'), span(next.join(', '), 'doubt')];
}

/** Of a path that is too long, the end tells more. */
function sourceLine(source: SourceView, width: number, look: Look): Line {
  const title = 'vhostscope  ';
  const state = `  ${stateOf(source)}`;
  const room = Math.max(1, width - title.length - state.length);
  return [
    span(title, 'strong'),
    span(keepEnd(safeName(source.name, look), room, look.glyphs.cut)),
    span(state, 'faint'),
  ];
}

/** What is wrong with the source, and the lines that each takes; the rest of it stands in the recording view. */
const MOST_BANNERS = 2;
const MOST_LINES = 2;

function bannerLines(source: SourceView, width: number, look: Look): Line[] {
  const all = [...stateBanner(source), ...source.problems];
  const shown = all.length > MOST_BANNERS ? all.slice(0, MOST_BANNERS - 1) : all;
  const lines = shown.flatMap((text) => banner(text, width, look));
  if (all.length > shown.length)
    lines.push(
      ...banner(`and ${all.length - shown.length} more: see the recording, 5`, width, look),
    );
  return lines;
}

function banner(text: string, width: number, look: Look): Line[] {
  const mark = '! ';
  const lines = wrapUpTo(
    MOST_LINES,
    words(text, look),
    width - mark.length,
    look.glyphs.cut,
    'bad',
  );
  return lines.map((line, at) => [span(at === 0 ? mark : '  ', 'alarm'), ...line]);
}

/** States in which numbers stand still, and people should know why. */
function stateBanner({ state, isEmpty, kind }: SourceView): string[] {
  if (state === 'gone') return [GONE[kind]];
  if (state === 'waiting') return [`${WAITING[kind]}; tried again each second`];
  if (isEmpty)
    return [state === 'ended' ? 'the trace holds no event' : `the ${kind} is empty so far`];
  return [];
}

const GONE: Readonly<Record<SourceView['kind'], string>> = {
  socket: 'the recording broke off; what is shown is what came; tried again each second while live',
  pipe: 'what comes cannot be read any more; what is shown ends before that',
  'growing file': 'what comes cannot be read any more; what is shown ends before that',
  file: 'it cannot be read any more; what is shown ends before that',
  server: 'what comes cannot be read any more; what is shown ends before that',
};
const WAITING: Readonly<Record<SourceView['kind'], string>> = {
  socket: 'nobody listens there yet',
  pipe: 'nothing came yet',
  'growing file': 'it cannot be read yet',
  file: 'it cannot be read yet',
  server: 'there is nothing of the run that could be shown yet',
};

function stateOf({ kind, state }: SourceView): string {
  return state === 'reading' ? kind : `${kind}, ${state}`;
}

function clockLine(clock: ClockView, look: Look): Line {
  const time = moment(clock.at);
  if (clock.seeking !== undefined)
    return [span(`going there ${Math.floor(clock.seeking * 100)} %`, 'doubt'), span(`  ${time}`)];
  const [sign, word, tone] = wayOf(clock, look);
  const of = clock.isLive ? '' : ` of ${moment(clock.end)}`;
  return [
    span(`${sign} ${word}`, tone),
    span(`  ${time}${of}`),
    ...(clock.behind < NOTABLY_BEHIND
      ? []
      : [span(`, ${lasting(clock.behind, look.glyphs)} behind`, 'doubt')]),
    // Behind that one cannot go but live.
    ...(clock.keptUntil === undefined
      ? []
      : [span(`, kept to ${moment(clock.keptUntil)}`, 'doubt')]),
  ];
}

/** ns. What is told within a second of its moment is as live as it gets. */
export const NOTABLY_BEHIND = 1e9;

function wayOf(
  { isPaused, isLive, speed }: ClockView,
  { glyphs }: Look,
): readonly [sign: string, word: string, tone: Tone] {
  if (isPaused) return [glyphs.paused, 'paused', 'doubt'];
  if (isLive) return [glyphs.live, 'live', 'good'];
  return [glyphs.playing, speed === 'max' ? 'as fast as it goes' : `${speed}x`, 'plain'];
}

/** The names of the views, with their keys. */
export function tabLine(chosen: ViewName, { width, look }: Pick<Frame, 'width' | 'look'>): Line {
  const { rule, cut } = look.glyphs;
  const tabs = VIEW_NAMES.flatMap((name, at): Span[] => [
    name === chosen
      ? { text: ` ${at + 1} ${name} `, tone: 'strong', isMarked: true }
      : span(` ${at + 1} ${name} `),
    span(rule, 'faint'),
  ]);
  const used = tabs.reduce((sum, { text }) => sum + text.length, 0);
  return fitLine([...tabs, span(rule.repeat(Math.max(0, width - used)), 'faint')], width, cut);
}
