// Screens of a terminal, one after another, as an SVG that moves wherever pictures are shown: no script, no
// font of its own, nothing loaded.

/** Of a cell, in units of the picture. */
const WIDTH = 8.4;
const HEIGHT = 17;
const MARGIN = 10;
const GROUND = '#16181d';
const INK = '#d6d9de';

/**
 * A piece of a row whose cells look alike.
 *
 * @typedef {{ text: string, column: number, width: number, fg: string, bg: string | undefined,
 *   isBold: boolean, isDim: boolean }} Run
 */

/**
 * @param {Run[][][]} frames - rows of each, top down
 * @param {{ columns: number, rows: number, frameMs: number }} size
 */
export function animatedImage(frames, { columns, rows, frameMs }) {
  const width = columns * WIDTH + 2 * MARGIN;
  const height = rows * HEIGHT + 2 * MARGIN;
  /** Rows that are drawn once and used by many frames. */
  const drawn = new Map();
  const shots = merged(
    frames.map((frame) =>
      frame
        .map((runs, row) => {
          const picture = runs.map(drawRun).join('');
          if (picture === '') return '';
          if (!drawn.has(picture)) drawn.set(picture, `r${drawn.size}`);
          return `<use href="#${drawn.get(picture)}" y="${row * HEIGHT}"/>`;
        })
        .join(''),
    ),
  );
  const seconds = (frames.length * frameMs) / 1000;
  const styles = shots.map(({ from, to }, at) => {
    const begins = percent(from / frames.length);
    const ends = percent(to / frames.length);
    const before = from === 0 ? '' : `0%,${begins}{visibility:hidden}`;
    const after = to === frames.length ? '' : `${ends},100%{visibility:hidden}`;
    return (
      `@keyframes f${at}{${before}${begins}{visibility:visible}${after}}` +
      `#f${at}{animation:f${at} ${seconds}s step-end infinite}`
    );
  });
  const last = shots.length - 1;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>The dashboard over a trace of a storm of invalidations</title>',
    '<style>',
    `text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:${INK}}`,
    '.b{font-weight:bold}.d{opacity:.6}.f{visibility:hidden}',
    ...styles,
    `@media(prefers-reduced-motion:reduce){.f{animation:none}#f${last}{visibility:visible}}`,
    '</style>',
    '<defs>',
    ...Array.from(drawn, ([picture, id]) => `<g id="${id}">${picture}</g>`),
    '</defs>',
    `<rect width="100%" height="100%" rx="6" fill="${GROUND}"/>`,
    `<g transform="translate(${MARGIN} ${MARGIN})">`,
    ...shots.map(({ picture }, at) => `<g class="f" id="f${at}">${picture}</g>`),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** Frames that are alike are one, shown for longer. */
function merged(pictures) {
  const shots = [];
  for (const [at, picture] of pictures.entries()) {
    const last = shots.at(-1);
    if (last?.picture === picture) last.to = at + 1;
    else shots.push({ picture, from: at, to: at + 1 });
  }
  return shots;
}

/** @param {Run} run */
function drawRun({ text, column, width, fg, bg, isBold, isDim }) {
  const x = number(column * WIDTH);
  const wide = number(width * WIDTH);
  const ground =
    bg === undefined ? '' : `<rect x="${x}" width="${wide}" height="${HEIGHT}" fill="${bg}"/>`;
  if (text.trim() === '') return ground;
  const classes = [...(isBold ? ['b'] : []), ...(isDim ? ['d'] : [])].join(' ');
  return (
    `${ground}<text x="${x}" y="13" textLength="${wide}"` +
    `${classes === '' ? '' : ` class="${classes}"`}${fg === '' ? '' : ` style="fill:${fg}"`}>` +
    `${escaped(text)}</text>`
  );
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function number(value) {
  return Number(value.toFixed(2));
}

function percent(share) {
  return `${number(share * 100)}%`;
}
