/** The last line: what is typed, what a command came to, or what can be pressed. Words take the lines they need. */
import type { DashboardView } from '../dashboard.js';
import { keepEnd } from './cell-width.js';
import type { Frame } from './frame.js';
import { hintLine } from './help-lines.js';
import { isIn, KEY_TABLE, type KeyBinding } from './key-table.js';
import { safeName, words } from './look.js';
import type { Prompt, ScreenState } from './screen-state.js';
import { fitLine, lineOf, span, spread, widthOf, type Line, type Tone } from './styled-line.js';
import { wrapUpTo } from './text-blocks.js';

type Room = Pick<Frame, 'width' | 'look'>;

export function footLines(
  state: ScreenState,
  { answer, saving, clock }: Pick<DashboardView, 'answer' | 'saving' | 'clock'>,
  room: Room,
): Line[] {
  const { prompt, isHelp, picker, view, answerSeen, isLeaving } = state;
  const { width, look } = room;
  const { cut } = look.glyphs;
  if (prompt !== undefined) return promptLines(prompt, room);
  if (answer !== undefined && answer.number > answerSeen)
    return toldLines(answer.text, answer.isError ? 'bad' : 'good', room);
  if (saving !== undefined) {
    const share = `${Math.floor(saving.progress * 100)} %`;
    const left = isLeaving ? [span('  leaves when it is whole; Ctrl-C gives it up', 'doubt')] : [];
    return [
      fitLine(
        [span(`writing ${share}`), ...left, span(`  ${safeName(saving.path, look)}`, 'faint')],
        width,
        cut,
      ),
    ];
  }
  if (isHelp) return [lineOf('Up and Down scroll, any other key closes the help', 'faint')];
  if (picker !== undefined)
    return [lineOf('Up and Down choose, Enter takes it, Esc leaves things as they are', 'faint')];
  const here = KEY_TABLE.filter((one) => isIn(one, view)).map((one) => withHint(one, state, clock));
  const program = hintLine(
    here.filter(({ group }) => group === 'program'),
    width,
  );
  const others = here.filter(({ group }) => group !== 'program');
  return [spread(hintLine(others, width - widthOf(program) - 1), program, width, cut)];
}

/** What a key does next. */
function withHint(
  binding: KeyBinding,
  { search, view, hasBack }: ScreenState,
  { isPaused }: DashboardView['clock'],
): KeyBinding {
  if (binding.action === 'pause or play') return { ...binding, hint: isPaused ? 'play' : 'pause' };
  if (binding.action !== 'close') return binding;
  if (search !== '') return { ...binding, hint: 'all names' };
  return hasBack && view === 'overview' ? { ...binding, hint: 'hosts' } : binding;
}

/** What is typed, below what is wrong with it. Of what is longer than the line, the end tells more. */
function promptLines({ kind, text, error }: Prompt, room: Room): Line[] {
  const { width, look } = room;
  const name = `${PROMPTS[kind]} `;
  const typed = keepEnd(safeName(text, look), width - name.length - 1, look.glyphs.cut);
  return [
    ...(error === undefined ? [] : toldLines(error, 'bad', room)),
    [span(name, 'strong'), span(typed), { text: ' ', tone: 'plain', isMarked: true }],
  ];
}

/** The least screen has room for them. */
const MOST_TOLD = 4;

function toldLines(text: string, tone: Tone, { width, look }: Room): Line[] {
  return wrapUpTo(MOST_TOLD, words(text, look), width, look.glyphs.cut, tone);
}

const PROMPTS: Readonly<Record<Prompt['kind'], string>> = {
  search: 'search:',
  jump: 'go to:',
  save: 'write to:',
};
