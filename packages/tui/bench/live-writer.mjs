// Serves a live trace on a socket, so many events a second from so many virtqueues, as a busy host would; and
// tells on standard output whether a reader ever held it back.
import { createServer } from 'node:net';
import {
  createImportReport,
  createTextImporter,
  createTraceWriter,
  flushTrace,
} from '@vhostscope/trace';

const [path, rateText, virtqueuesText] = process.argv.slice(2);
const RATE = Number(rateText);
const VIRTQUEUES = Number(virtqueuesText);
const CPUS = 4;
/** Between two pieces of the stream, ms. */
const TURN_MS = 50;
const PAGE = 0x1000;

const begin = process.hrtime.bigint();
let socket;
let most = 0;
let stalls = 0;
const writer = createTraceWriter(
  {
    append: (parts, bytes, onWritten) => {
      const piece = Buffer.concat(parts, bytes);
      if (socket !== undefined && !socket.write(piece)) stalls++;
      most = Math.max(most, socket?.writableLength ?? 0);
      onWritten?.();
    },
    keepPace: () => undefined,
    settle: async () => undefined,
    abandon: async () => undefined,
    cutBack: () => undefined,
  },
  { sources: ['bench'], writer: 'bench', clock: 'CLOCK_BOOTTIME', keepsPointers: false },
);
const importer = createTextImporter(writer, createImportReport());
let sent = 0;

const server = createServer((reader) => {
  socket = reader;
  reader.on('error', () => undefined);
  reader.on('close', () => {
    process.stdout.write(
      `${JSON.stringify({ events: sent, most_waiting_bytes: most, turns_held_back: stalls })}\n`,
    );
    process.exit(0);
  });
  reader.resume();
  reader.write(writer.schema);
  importer.push(Buffer.from(setUp(), 'latin1'));
  setInterval(turn, TURN_MS);
});
server.listen(path, () => process.stdout.write('listening\n'));

/** Kernel address of a virtqueue's struct, and where its areas lie. */
function pointer(vq) {
  return `ffff8f22cd${(0x61_0000 + vq * 0x100).toString(16).padStart(6, '0')}`;
}
function areaStart(vq, area) {
  return 0x7f00_0000_0000 + (vq * 4 + area) * PAGE;
}

function now() {
  return BigInt(1e9) + process.hrtime.bigint() - begin;
}

function setUp() {
  const lines = ['# vhost-oracle 1'];
  let time = now();
  for (let vq = 0; vq < VIRTQUEUES; vq++) {
    const cpu = vq % CPUS;
    lines.push(`X ${time++} ${cpu} ${pointer(vq)} 0 0`);
    for (const [area, size] of [4096, 516, 2052].entries())
      lines.push(
        `U ${time++} ${cpu} ${pointer(vq)} ${area} ${areaStart(vq, area).toString(16)} ${size} 0`,
      );
  }
  return `${lines.join('\n')}\n`;
}

let upTo = now();

/** What happened since the last turn: rounds of accesses, and now and then a range over a ring. */
function turn() {
  const from = upTo;
  upTo = now();
  const span = Number(upTo - from);
  const events = Math.round((RATE * span) / 1e9);
  const lines = [];
  const step = span / Math.max(1, events);
  for (let at = 0; at < events; at++) {
    const time = from + BigInt(Math.floor(at * step));
    const vq = (sent >> 6) % VIRTQUEUES;
    const cpu = vq % CPUS;
    const place = sent % 64;
    if (place === 0) lines.push(`M ${time} ${cpu} ${pointer(vq)}`);
    else if (place < 3 && vq % 8 === 0) {
      const start = areaStart(vq, 1);
      lines.push(
        `R ${time} ${cpu} ${DEVICE} ${place === 1 ? 1 : 0} ${start.toString(16)} ${(start + PAGE).toString(16)} 1 1 68 ksmd`,
      );
    } else lines.push(`A ${time} ${cpu} ${pointer(vq)} ${ACCESSORS[place % 4]} 1 1`);
    sent++;
  }
  importer.push(Buffer.from(`${lines.join('\n')}\n`, 'latin1'));
  flushTrace(writer);
}

const DEVICE = 'ffff8f22cd600000';
/** avail index, avail head, descriptor, used element. */
const ACCESSORS = [9, 8, 10, 3];
