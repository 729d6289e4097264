/** What is typed: a search, a time to go to, a name to save under. */
import type { Command, DashboardView } from '../dashboard.js';
import type { Prompt, ScreenState } from './screen-state.js';

/** Understands a moment as typed: the command, or why it is none. */
export type ReadJump = (text: string, view: DashboardView) => Command | string;

export function typeInPrompt(
  state: ScreenState,
  prompt: Prompt,
  key: string,
  { view, readJump }: { readonly view: DashboardView; readonly readJump: ReadJump },
): { state: ScreenState; commands: readonly Command[] } {
  if (key === 'escape') {
    const search = prompt.kind === 'search' ? '' : state.search;
    return { state: { ...state, prompt: undefined, search }, commands: [] };
  }
  if (key === 'enter') return enter(state, prompt, view, readJump);
  const text = edited(prompt.text, key);
  return {
    state: {
      ...state,
      prompt: { kind: prompt.kind, text },
      // A search shows what it finds while it is typed.
      ...(prompt.kind === 'search' && { search: text }),
    },
    commands: [],
  };
}

/** What was typed will not do, as the session answered at once: it can be mended, and no key is a command till then. */
export function askAgain(
  state: ScreenState,
  kind: Prompt['kind'],
  text: string,
  { number, text: error }: NonNullable<DashboardView['answer']>,
): ScreenState {
  return { ...state, prompt: { kind, text, error }, answerSeen: number };
}

function enter(
  state: ScreenState,
  prompt: Prompt,
  view: DashboardView,
  readJump: ReadJump,
): { state: ScreenState; commands: readonly Command[] } {
  const done = { ...state, prompt: undefined };
  if (prompt.kind === 'search' || prompt.text === '') return { state: done, commands: [] };
  if (prompt.kind === 'save') return { state: done, commands: [{ do: 'save', path: prompt.text }] };
  const command = readJump(prompt.text, view);
  if (typeof command !== 'string') return { state: done, commands: [command] };
  return { state: { ...state, prompt: { ...prompt, error: command } }, commands: [] };
}

function edited(text: string, key: string): string {
  if (key === 'backspace') return Array.from(text).slice(0, -1).join('');
  if (key === 'ctrl+u') return '';
  if (key === 'ctrl+w') return text.replace(/\S+\s*$/, '');
  if (key === 'space') return `${text} `;
  // Keys with names are longer than a character.
  return Array.from(key).length === 1 ? `${text}${key}` : text;
}
