// `node packages/tui/test/screen-image.mjs`: makes the picture of the dashboard that the README shows, from
// the built program in a terminal emulator, and prints a screen as text. Run it, after `npm start`, when the
// screen has changed.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { animatedImage } from './animated-image.mjs';
import { openTerminal } from './terminal-screen.mjs';

const ROOT = join(import.meta.dirname, '../../..');
const IMAGE = join(ROOT, 'docs/images/dashboard.svg');
const TRACE = 'examples/s3-resetup-under-storm.txt.gz';
const COLUMNS = 110;
const ROWS = 28;
/** Between two looks at the screen, ms. */
const LOOK_MS = 200;

/** What a viewer does, and for how long they then look at it, ms. */
const SCENES = [
  // From the start, at half speed; the storm comes after a moment.
  [' ', 4500],
  ['2', 1500],
  ['1', 300],
  ['\r', 2200],
  ['4', 1500],
  ['1', 300],
  ['b', 900],
  ['\u001b[F\r', 2500],
];

const terminal = openTerminal(
  process.execPath,
  ['packages/tui/bin/tui.js', TRACE, '--preempt', 'voluntary'],
  { columns: COLUMNS, rows: ROWS, cwd: ROOT },
);
const frames = [];
await terminal.until('paused');
await terminal.until((text) => /vq \d/.test(text));
terminal.press('-');
for (const [keys, milliseconds] of SCENES) {
  if (keys !== '') terminal.press(keys);
  for (let time = 0; time < milliseconds; time += LOOK_MS) {
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_MS);
    });
    frames.push(terminal.cells());
  }
}
process.stdout.write(`${terminal.text()}\n`);
terminal.press('q');
await terminal.exited;
terminal.close();

writeFileSync(IMAGE, animatedImage(frames, { columns: COLUMNS, rows: ROWS, frameMs: LOOK_MS }));
process.stdout.write(`${IMAGE}\n`);
