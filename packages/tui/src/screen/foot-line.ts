/** The last line: what is typed, what a command came to, or what can be pressed. */
import type { DashboardView } from '../dashboard.js';
import type { Frame } from './frame.js';
import { hintLine } from './help-lines.js';
import { isIn, KEY_TABLE } from './key-table.js';
import { safeName, words } from './look.js';
import type { Prompt, ScreenState } from './screen-state.js';
import { fitLine, lineOf, span, spread, type Line } from './styled-line.js';

export function footLine(
  { prompt, isHelp, view, answerSeen, isLeaving }: ScreenState,
  { answer, saving, clock }: Pick<DashboardView, 'answer' | 'saving' | 'clock'>,
  { width, look }: Pick<Frame, 'width' | 'look'>,
): Line {
  const { cut } = look.glyphs;
  if (prompt !== undefined)
    return fitLine(
      [
        span(`${PROMPTS[prompt.kind]} `, 'strong'),
        span(safeName(prompt.text, look)),
        { text: ' ', tone: 'plain', isMarked: true },
        ...(prompt.error === undefined ? [] : [span(`  ${words(prompt.error, look)}`, 'bad')]),
      ],
      width,
      cut,
    );
  if (answer !== undefined && answer.number > answerSeen)
    return fitLine(lineOf(words(answer.text, look), answer.isError ? 'bad' : 'good'), width, cut);
  if (saving !== undefined) {
    const share = `${Math.floor(saving.progress * 100)} %`;
    const left = isLeaving ? [span('  leaves when it is whole; Ctrl-C gives it up', 'doubt')] : [];
    return fitLine(
      [span(`writing ${share}`), ...left, span(`  ${safeName(saving.path, look)}`, 'faint')],
      width,
      cut,
    );
  }
  if (isHelp) return lineOf('Up and Down scroll, any other key closes the help', 'faint');
  const here = KEY_TABLE.filter((one) => isIn(one, view)).map((one) =>
    // What it does next.
    one.action === 'pause or play' ? { ...one, hint: clock.isPaused ? 'play' : 'pause' } : one,
  );
  return spread(
    hintLine(here.filter(({ group }) => group !== 'program')),
    hintLine(here.filter(({ group }) => group === 'program')),
    width,
    cut,
  );
}

const PROMPTS: Readonly<Record<Prompt['kind'], string>> = {
  search: 'search:',
  jump: 'go to:',
  save: 'write to:',
};
