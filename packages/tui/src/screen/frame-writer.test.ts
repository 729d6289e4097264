import headless from '@xterm/headless';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFrameWriter } from './frame-writer.js';

const { Terminal } = headless;
// oxlint-disable-next-line no-control-regex -- colours begin with one
const COLOURS = /\u001b\[\dm/g;

/** What stands on a terminal of 12x6 after frames one upon the other, and how much was written. */
async function shown(
  frames: readonly (readonly string[])[],
): Promise<{ rows: string[]; writes: string[] }> {
  const terminal = new Terminal({ cols: 12, rows: 6, allowProposedApi: true });
  const writes: string[] = [];
  const writer = createFrameWriter((text) => writes.push(text));
  for (const frame of frames) writer.show(frame);
  await new Promise<void>((resolve) => {
    terminal.write(writes.join(''), resolve);
  });
  const rows = Array.from(
    { length: 6 },
    (_, row) => terminal.buffer.active.getLine(row)?.translateToString(true) ?? '',
  );
  terminal.dispose();
  return { rows, writes };
}

test('the screen is the last frame, whatever came before', async () => {
  const anyRow = fc.constantFrom('', 'a', 'abc', '\u001b[1mbold\u001b[0m', '█▁', 'full row 12c');
  const anyFrame = fc.array(anyRow, { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.array(anyFrame, { minLength: 1, maxLength: 5 }), async (frames) => {
      const { rows } = await shown(frames);
      const last = (frames.at(-1) ?? []).map((row) => row.replaceAll(COLOURS, ''));
      expect(rows).toEqual([...last, ...Array.from({ length: 6 - last.length }, () => '')]);
    }),
    { numRuns: 50 },
  );
});

test('rows that stay are not written again, and a frame that stays is none', async () => {
  const { writes } = await shown([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
    ['a', 'B', 'c'],
  ]);
  expect(writes).toHaveLength(2);
  expect(writes[1]).toBe('\u001b[2;1HB\u001b[0m\u001b[K');
});

test('what was cleared is written again', async () => {
  const writes: string[] = [];
  const writer = createFrameWriter((text) => writes.push(text));
  writer.show(['a', 'b']);
  writer.forget();
  writer.show(['a', 'b']);
  expect(writes[1]).toBe(writes[0]);
});
