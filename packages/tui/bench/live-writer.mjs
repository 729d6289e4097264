// Serves a live trace on a socket: so many events a second from so many virtqueues, as a busy host would tell
// them; and says on standard output whether a reader ever held it back. A second of it is made before anybody
// is served, and goes out again and again with its times moved on, so that making it costs nothing.
//
//     node live-writer.mjs <socket> <events a second> <virtqueues>
import { createServer } from 'node:net';
import { crc32 } from 'node:zlib';
import {
  createImportReport,
  createTextImporter,
  createTraceWriter,
  flushTrace,
  indexTrace,
} from '@vhostscope/trace';

const [path, rateText, virtqueuesText] = process.argv.slice(2);
const RATE = Number(rateText);
const VIRTQUEUES = Number(virtqueuesText);
const CPUS = 4;
const SECOND = 1e9;
/** Batches go out as often as those of `collector attach`. */
const FLUSHES = 10;
/** Between two looks at what is due, ms. */
const TURN_MS = 5;
const MOST_AT_ONCE = 8;
const PAGE = 0x1000;
/** Of an Arrow message: a mark, and how many bytes of metadata follow. */
const PREFIX_BYTES = 8;
/** Accessors that touch desc, avail and used, by their codes. */
const ACCESSORS = [9, 3, 10, 5];

/** Digits of a checksum in a message's metadata. */
const DIGITS = 8;

/**
 * What the writer gives out at a time: bytes, where the times of the events stand behind the metadata, and when it is due,
 * ns; and where its checksums stand, which are those of other times.
 */
let pieces = [];
const writer = createTraceWriter(
  {
    append: (parts, bytes, fate) => {
      const whole = Buffer.from(Buffer.concat(parts, bytes));
      // The first column of a batch, behind its message, is the times.
      const timesAt = PREFIX_BYTES + whole.readInt32LE(PREFIX_BYTES - 4);
      const digitsAt = (checksum) => whole.lastIndexOf(digitsOf(checksum), timesAt);
      const bodyAt = digitsAt(crc32(whole.subarray(timesAt)));
      // Nothing of the schema, which comes before there is a writer, is told again.
      const linkAt = whole.length === timesAt ? 0 : digitsAt(writer.appendedLink);
      pieces.push({ bytes: whole, timesAt, bodyAt, linkAt, rows: 0, due: 0 });
      fate?.onWritten?.();
    },
    keepPace: () => undefined,
    settle: async () => undefined,
    abandon: async () => undefined,
    cutBack: () => undefined,
  },
  { sources: ['bench'], writer: 'bench', clock: 'CLOCK_BOOTTIME', keepsPointers: false },
);
const importer = createTextImporter(writer, createImportReport());
importer.push(Buffer.from(setUp(), 'latin1'));
flushTrace(writer);
const head = Buffer.concat(pieces.map(({ bytes }) => bytes));
pieces = [];
/** On which the next message rests. */
let link = writer.appendedLink;
for (let part = 0; part < FLUSHES; part++) {
  importer.push(Buffer.from(partOfSecond(part), 'latin1'));
  flushTrace(writer);
  for (const piece of pieces) piece.due ||= ((part + 1) * SECOND) / FLUSHES;
}
countRows();

let sent = 0;
let most = 0;
let mostAt = 0;
let latest = 0;
const server = createServer((reader) => {
  reader.on('error', () => undefined);
  reader.on('close', () => {
    const told = {
      events: Math.round(sent),
      most_waiting_bytes: most,
      most_waiting_at: mostAt,
      most_late_ms: Math.round(latest),
    };
    process.stdout.write(`${JSON.stringify(told)}\n`, () => process.exit(0));
  });
  reader.resume();
  reader.write(head);
  const begun = performance.now();
  let second = 0;
  let next = 0;
  setInterval(() => {
    const now = (performance.now() - begun) * 1e6;
    // A machine that is too slow gets what it can take: the sockets have their turn in between.
    for (let count = 0; count < MOST_AT_ONCE; count++) {
      const piece = pieces[next];
      if (second * SECOND + piece.due > now) break;
      latest = Math.max(latest, (now - second * SECOND - piece.due) / 1e6);
      reader.write(movedOn(piece, second));
      if (reader.writableLength > most) {
        most = reader.writableLength;
        mostAt = Math.round(now / SECOND);
      }
      sent += RATE / pieces.length;
      next++;
      if (next === pieces.length) {
        next = 0;
        second++;
      }
    }
  }, TURN_MS);
});
server.listen(path, () => process.stdout.write('listening\n'));

/** How many rows each piece has, as a reader finds them. */
function countRows() {
  const whole = Buffer.concat([head, ...pieces.map(({ bytes }) => bytes)]);
  const read = (into, offset) => whole.copy(into, 0, offset, offset + into.length);
  const [{ events, tables }] = indexTrace({ read }, whole.length).recordings;
  const places = [...tables, ...[...events.values()].flatMap((one) => [...one])];
  const rows = new Map(places.map((place) => [place.offset, place.rows]));
  let offset = head.length;
  for (const piece of pieces) {
    piece.rows = rows.get(offset);
    offset += piece.bytes.length;
  }
}

/** A piece as it is told some seconds later. */
function movedOn({ bytes, timesAt, bodyAt, linkAt, rows }, seconds) {
  const copy = Buffer.from(new Uint8Array(bytes).buffer);
  const low = (seconds * SECOND) % 2 ** 32;
  const high = Math.floor((seconds * SECOND) / 2 ** 32);
  const words = new Uint32Array(copy.buffer, timesAt, 2 * rows);
  for (let at = 0; at < words.length; at += 2) {
    const sum = words[at] + low;
    words[at] = sum;
    words[at + 1] += high + (sum >= 2 ** 32 ? 1 : 0);
  }
  copy.write(digitsOf(crc32(copy.subarray(timesAt))), bodyAt);
  const before = crc32(copy.subarray(PREFIX_BYTES - 4, linkAt), link);
  link = crc32(copy.subarray(linkAt + DIGITS, timesAt), before);
  copy.write(digitsOf(link), linkAt);
  return copy;
}

function digitsOf(checksum) {
  return checksum.toString(16).padStart(DIGITS, '0');
}

/**
 * Kernel address of a virtqueue's struct; of its device, before it: as with vhost-net, each has two, and a guest
 * with more queues has more devices.
 */
function pointer(vq) {
  return address(vq * 0x100);
}
function device(vq) {
  return address((vq & ~1) * 0x100 - 0x80);
}
function address(offset) {
  return `ffff8f22cd${(0x61_0000 + offset).toString(16).padStart(6, '0')}`;
}

/** Where an area of it lies. */
function areaStart(vq, area) {
  return 0x7f00_0000_0000 + (vq * 4 + area) * PAGE;
}

function setUp() {
  const lines = ['# vhost-oracle 1'];
  let time = SECOND - 10 * VIRTQUEUES;
  for (let vq = 0; vq < VIRTQUEUES; vq++) {
    const cpu = vq % CPUS;
    // The devices must be known from the start: a virtqueue is of the one with the greatest address below its own.
    if (vq % 2 === 0) lines.push(`N ${time++} ${cpu} ${device(vq)} 1 0`);
    lines.push(`X ${time++} ${cpu} ${pointer(vq)} 0 0`);
    for (const [area, size] of [4096, 516, 2052].entries())
      lines.push(
        `U ${time++} ${cpu} ${pointer(vq)} ${area} ${areaStart(vq, area).toString(16)} ${size} 0`,
      );
  }
  return `${lines.join('\n')}\n`;
}

/** Rounds of accesses, one virtqueue after another, and now and then a range over a ring. */
function partOfSecond(part) {
  const lines = [];
  const events = RATE / FLUSHES;
  for (let index = part * events; index < (part + 1) * events; index++) {
    const time = SECOND + Math.floor((index * SECOND) / RATE);
    const vq = (index >> 6) % VIRTQUEUES;
    const cpu = vq % CPUS;
    const place = index % 64;
    if (place === 0) lines.push(`M ${time} ${cpu} ${pointer(vq)}`);
    else if (place < 3 && vq % 8 === 0) {
      const start = areaStart(vq, 1);
      const range = `${start.toString(16)} ${(start + PAGE).toString(16)}`;
      lines.push(`R ${time} ${CPUS} ${device(vq)} ${place === 1 ? 1 : 0} ${range} 1 1 68 ksmd`);
    } else lines.push(`A ${time} ${cpu} ${pointer(vq)} ${ACCESSORS[place % 4]} 1 1`);
  }
  return `${lines.join('\n')}\n`;
}
