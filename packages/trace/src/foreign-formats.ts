/** What a file is by its first bytes: an Arrow stream, as traces are, or something taken for one. */

/** Bytes that `isArrowStream` looks at. */
export const STREAM_MARK_BYTES = 4;

/** Whether an Arrow stream begins here: with the continuation mark of its first message. */
export function isArrowStream(head: Uint8Array): boolean {
  for (let at = 0; at < STREAM_MARK_BYTES; at++) if (head[at] !== 0xff) return false;
  return true;
}

/** What prints a recording of perf as this project reads it. */
const PERF_SCRIPT = 'perf script --ns --show-lost-events -F comm,pid,tid,cpu,time,event,trace';

const FORMATS: readonly { readonly magic: readonly number[]; readonly advice: string }[] = [
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], advice: 'xz: decompress it first (xz -dc)' },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], advice: 'zstd: decompress it first (zstd -dc)' },
  { magic: [0x42, 0x5a, 0x68], advice: 'bzip2: decompress it first (bzip2 -dc)' },
  { magic: [0x04, 0x22, 0x4d, 0x18], advice: 'lz4: decompress it first (lz4 -dc)' },
  { magic: [0x50, 0x4b, 0x03, 0x04], advice: 'zip: unpack it first' },
  { magic: [...Buffer.from('ARROW1')], advice: 'the Arrow file format; traces are Arrow streams' },
  { magic: [...Buffer.from('PAR1')], advice: 'Parquet; traces are Arrow streams' },
  { magic: [...Buffer.from('PERFILE2')], advice: `perf.data: print it with ${PERF_SCRIPT}` },
  {
    magic: [0x17, 0x08, 0x44],
    advice: 'trace.dat of trace-cmd: print it with trace-cmd report -t',
  },
  { magic: [0x7f, 0x45, 0x4c, 0x46], advice: 'a program (ELF)' },
  { magic: [0xff, 0xfe], advice: 'UTF-16: convert it first (iconv -f UTF-16 -t UTF-8)' },
  { magic: [0xfe, 0xff], advice: 'UTF-16: convert it first (iconv -f UTF-16 -t UTF-8)' },
];

/** Texts that are known by their first lines. */
const TEXTS: readonly { readonly begins: RegExp; readonly advice: string }[] = [
  {
    begins: /^\s*\{\s*"linux-perf-json-version"/,
    advice: `the JSON of perf data convert, which does not name the events: print the recording with ${PERF_SCRIPT}`,
  },
  {
    // Thread, time, event, and no CPU between them.
    begins: /^(?:#.*\n|\n)*[^\n]* \d+ +\d+\.(?:\d{6}|\d{9}): +(?:\d+ +)?\w[^\s:]*:\w[^\s:]*: /,
    advice: `perf script text without the CPUs of the events: print it with ${PERF_SCRIPT}; where perf has none, it must record with -a`,
  },
  {
    begins: /^(?:#.*\n|\n)*[^\n]* \[\d{3,}\] +\w[^\s:]*:\w[^\s:]*: /,
    advice: `perf script text without the times of the events: print it with ${PERF_SCRIPT}`,
  },
];

/** First bytes by which binary data is told from text. */
const BINARY_BYTES = 16;

/** What an input is that is not ours; undefined when its first bytes could be text that is. */
export function foreignFormat(head: Uint8Array): string | undefined {
  for (const { magic, advice } of FORMATS) {
    if (magic.every((byte, at) => head[at] === byte)) return advice;
  }
  if (head.subarray(0, BINARY_BYTES).some(isBinary)) return 'binary data';
  const text = new TextDecoder('latin1').decode(head);
  return TEXTS.find(({ begins }) => begins.test(text))?.advice;
}

/** Control bytes that no text begins with: tab, line breaks and escape sequences are there in texts. */
function isBinary(byte: number): boolean {
  return byte < 0x20 && ![0x09, 0x0a, 0x0d, 0x1b].includes(byte);
}
