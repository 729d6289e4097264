/** What Ink tells of the keyboard → names of keys, as the table of keys has them. */
import type { Key } from 'ink';

/**
 * Several keys may come at once: pasted, or typed faster than they are read.
 *
 * @returns a name of each: a character, or `up`, `enter`, `ctrl+c` …
 */
export function pressedKeys(input: string, key: Key): string[] {
  const named = NAMED.find(([flag]) => key[flag]);
  if (named !== undefined) {
    const [flag, name] = named;
    return [flag === 'tab' && key.shift ? 'shift+tab' : name];
  }
  if (key.ctrl) return input === '' ? [] : [`ctrl+${input}`];
  // Alt and a key: nothing is bound to it.
  if (key.meta) return [];
  // The rest of a sequence that Ink does not know either.
  if (/^\[[\d;?<]*[A-Za-z~]$/.test(input)) return [];
  return Array.from(input, nameOf);
}

const NAMED = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['tab', 'tab'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'],
] as const;

function nameOf(character: string): string {
  return CHARACTERS[character] ?? character;
}

const CHARACTERS: Readonly<Record<string, string>> = {
  ' ': 'space',
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\u0003': 'ctrl+c',
  '\u001a': 'ctrl+z',
  '\u001b': 'escape',
  '\u007f': 'backspace',
};
