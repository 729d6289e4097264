/**
 * Prints how many MB of bpftrace output per second the parser frames.
 *
 *     pnpm --filter bpftrace-parser build && node packages/bpftrace-parser/bench/throughput.mjs
 *
 * The input is synthetic lines of the shape of a busy trace, held in memory and pushed in chunks of
 * 64 KiB. Each case runs in rounds that alternate with the others; the median is printed.
 */
import { createParser } from '../dist/index.js';

const CHUNK_BYTES = 64 * 1024;
const INPUT_BYTES = 64 * 1000 * 1000;
const ROUNDS = 7;
const LF = 0x0a;

function textInput() {
  const lines = [];
  let bytes = 0;
  for (let i = 0; bytes < 1000 * 1000; i++) {
    const line = `A ${13741074415 + i * 977} ${i % 4} ffff894f878e0100 ${(i % 10) + 1} 1 1\n`;
    bytes += line.length;
    lines.push(line);
  }
  return lines;
}

function repeat(text) {
  const once = Buffer.from(text);
  const input = new Uint8Array(INPUT_BYTES - (INPUT_BYTES % once.length));
  for (let at = 0; at < input.length; at += once.length) input.set(once, at);
  return input;
}

const lines = textInput();
const text = repeat(lines.join(''));
const json = repeat(
  lines.map((line) => `{"type": "printf", "data": "${line.slice(0, -1)}\\n"}\n`).join(''),
);

/** Reads every byte up to the LF, as any reader of the line must. */
function scan(bytes, start) {
  let pos = start;
  while (bytes[pos] !== LF) pos++;
  return pos + 1;
}

const cases = [
  { name: 'text, takeLine scans to the LF', input: text, options: { takeLine: scan } },
  { name: 'text, no takeLine: a message per line', input: text, options: {} },
  { name: 'json, takeLine scans to the LF', input: json, options: { takeLine: scan } },
  { name: 'json, no takeLine: a message per record', input: json, options: {} },
];

function run({ input, options }) {
  let messages = 0;
  const parser = createParser({ ...options, onMessage: () => messages++ });
  const began = performance.now();
  for (let at = 0; at < input.length; at += CHUNK_BYTES) {
    parser.push(input.subarray(at, at + CHUNK_BYTES));
  }
  parser.end();
  const seconds = (performance.now() - began) / 1e3;
  const { lines: seen, taken, truncated, rejected } = parser.counts;
  if (seen !== taken + messages || truncated + rejected !== 0) throw new Error('lines went astray');
  return { rate: input.length / seconds / 1e6, lines: seen / seconds / 1e6 };
}

const results = cases.map(() => []);
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, one] of cases.entries()) results[i].push(run(one));
}
for (const [i, { name }] of cases.entries()) {
  const sorted = results[i].toSorted((a, b) => a.rate - b.rate);
  const { rate, lines: perSecond } = sorted[ROUNDS >> 1];
  const range = `${sorted[0].rate.toFixed(0)} to ${sorted.at(-1).rate.toFixed(0)}`;
  process.stdout.write(
    `${rate.toFixed(0).padStart(6)} MB/s  ${perSecond.toFixed(1)} M lines/s  ${name} (${range})\n`,
  );
}
