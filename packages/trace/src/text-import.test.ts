/** What an import says of a text as a whole, whichever of several it is. */
import { expect, test } from 'vitest';
import { HEADER, newFile } from '../test/trace-files.ts';
import { createImportReport } from './import-report.js';
import { createTextImport } from './text-import.js';
import { closeTrace, createTraceWriter } from './trace-writer.js';
import { UNTOLD_NOTIFIER } from './untold-notifier.js';

const HEAD = '# vhost-oracle 1\n';
const UNTOLD = `${HEAD}M 10 0 1010\nA 20 0 1010 1 1 1\n`;
const TOLD = `${HEAD}N 5 0 1000 1 0\nM 10 0 1010\nA 20 0 1010 1 1 1\n`;
const PROSE = 'It was a dark\nand stormy night.\n';
const REST = `${HEAD}Z 30 0 1010\n`;

/** Imports texts one after the other into one trace. Returns how often each was told of. */
function timesSaid(...texts: readonly string[]): number[] {
  const writer = createTraceWriter(newFile(), HEADER);
  const said = texts.map((text) => {
    const report = createImportReport();
    const importing = createTextImport(report, () => writer);
    importing.push(Buffer.from(text, 'latin1'));
    importing.end();
    return report.notes.filter((note) => note === UNTOLD_NOTIFIER).length;
  });
  closeTrace(writer);
  return said;
}

test.each([
  ['one recording without it', [UNTOLD], [1]],
  ['one with it', [TOLD], [0]],
  ['the first of two recordings', [UNTOLD + TOLD], [1]],
  ['the last of two', [TOLD + UNTOLD], [1]],
  ['both of them, once', [UNTOLD + UNTOLD], [1]],
  ['one that others follow without an access', [UNTOLD + REST], [1]],
  ['the first of two texts', [UNTOLD, TOLD], [1, 0]],
  ['the last of two texts', [TOLD, UNTOLD], [0, 1]],
  ['a text before one that tells nothing', [UNTOLD, PROSE], [1, 0]],
  ['a text before headers without events', [UNTOLD, HEAD + HEAD], [1, 0]],
])('events of the MMU notifier are missing: %s', (_what, texts, expected) => {
  expect(timesSaid(...texts)).toEqual(expected);
});
