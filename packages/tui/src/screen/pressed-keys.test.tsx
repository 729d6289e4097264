/** Keys as a terminal sends them, through Ink. */
import { render } from 'ink-testing-library';
import { expect, test } from 'vitest';
import { dashboardView } from '../../test/made-up-views.js';
import { Dashboard } from './Dashboard.js';
import { KEY_TABLE } from './key-table.js';
import { lookOf } from './look.js';
import { FIRST_STATE } from './screen-state.js';

/** What is told of bytes that arrive, each of them at once. */
async function told(...sent: readonly string[]): Promise<string[]> {
  const keys: string[] = [];
  const { stdin, unmount } = render(
    <Dashboard
      view={dashboardView()}
      state={FIRST_STATE}
      size={{ columns: 100, rows: 24 }}
      look={lookOf({}, 1)}
      onKeys={(some) => keys.push(...some)}
    />,
  );
  // Ink begins to listen in an effect.
  await later();
  for (const bytes of sent) {
    stdin.write(bytes);
    // A lone Esc is known as such only when nothing follows.
    await later();
  }
  unmount();
  return keys;
}

async function later(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 60);
  });
}

test('keys have the names of the table', async () => {
  expect(
    await told('\u001b[A', '\u001b[B', '\u001b[C', '\u001b[D', '\u001b[5~', '\u001b[6~'),
  ).toEqual(['up', 'down', 'right', 'left', 'pageup', 'pagedown']);
  expect(await told('\u001b[H', '\u001b[F', '\r', '\t', '\u001b[Z', ' ', '\u001b')).toEqual([
    'home',
    'end',
    'enter',
    'tab',
    'shift+tab',
    'space',
    'escape',
  ]);
  expect(await told('\u007f', '\u0003', '\u001a', 'G', '/', '?')).toEqual([
    'backspace',
    'ctrl+c',
    'ctrl+z',
    'G',
    '/',
    '?',
  ]);
});

test('what comes at once is as many keys', async () => {
  expect(await told('jj k')).toEqual(['j', 'j', 'space', 'k']);
  expect(await told('12.5s\r')).toEqual(['1', '2', '.', '5', 's', 'enter']);
});

test('every key of the table that is a character arrives as itself', async () => {
  const characters = KEY_TABLE.flatMap(({ keys }) => keys).filter((key) => key.length === 1);
  expect(await told(...characters)).toEqual(characters);
}, 20_000);

test('keys that nothing is bound to are harmless', async () => {
  const keys = await told('\u001b[15~', '\u001bx', '\u001b[200~');
  expect(keys).toEqual([]);
});
