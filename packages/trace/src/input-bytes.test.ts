import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, createWriteStream, truncateSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fileOf, newPath } from '../test/trace-files.ts';
import { InputError } from './file-errors.js';
import { readInput, type InputEnd, type InputOptions } from './input-bytes.js';

interface Read extends InputEnd {
  readonly text: Buffer;
}

async function read(path: string, options: Partial<InputOptions> = {}): Promise<Read> {
  const chunks: Buffer[] = [];
  const end = await readInput(path, {
    onChunk: (bytes) => chunks.push(Buffer.from(bytes)),
    ...options,
  });
  return { ...end, text: Buffer.concat(chunks) };
}

/** Bytes that hardly compress. */
function noise(bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  let state = 1;
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    buffer[at] = state >>> 24;
  }
  return buffer;
}

/** Reads, and compares: `expect` takes seconds for large buffers. */
async function compare(path: string, data: Buffer): Promise<InputEnd & { same: boolean }> {
  const { text, ...end } = await read(path);
  return { ...end, same: text.equals(data) };
}

const WHOLE = { damage: undefined, interrupted: false };

test.each([0, 1, 2, 3, 1 << 18, (1 << 18) + 1, 700_000])(
  '%i plain bytes come as they are',
  async (length) => {
    const bytes = noise(length).fill('x', 0, Math.min(length, 2));
    expect(await compare(fileOf(bytes), bytes)).toEqual({ ...WHOLE, same: true });
  },
);

test('gzip is inflated, of one member and of several, wherever the chunks end', async () => {
  const parts = [noise(300_000), Buffer.from('in between'), noise(70_000)];
  expect(await compare(fileOf(gzipSync(parts[0])), parts[0])).toEqual({ ...WHOLE, same: true });
  expect(await compare(fileOf(gzipSync('')), Buffer.alloc(0))).toEqual({ ...WHOLE, same: true });
  const members = fileOf(Buffer.concat(parts.map((part) => gzipSync(part))));
  expect(await compare(members, Buffer.concat(parts))).toEqual({ ...WHOLE, same: true });
  // The second member begins at, just before and just after the border of a chunk of 256 KiB.
  const overhead = gzipSync(noise(1 << 18), { level: 0 }).length - (1 << 18);
  for (const shift of [-11, -1, 0, 1, 11]) {
    const stored = gzipSync(noise((1 << 18) + shift - overhead), { level: 0 });
    expect(stored.length).toBe((1 << 18) + shift);
    const got = await read(fileOf(Buffer.concat([stored, gzipSync('second')])));
    expect(got.damage).toBeUndefined();
    expect(got.text.subarray(-6).toString()).toBe('second');
  }
});

test('zeros after a gzip stream are padding, anything else is said', async () => {
  const data = noise(300_000);
  const zipped = gzipSync(data);
  for (const padding of [100, 600_000]) {
    const padded = Buffer.concat([zipped, Buffer.alloc(padding)]);
    expect(await compare(fileOf(padded), data)).toEqual({ ...WHOLE, same: true });
  }
  for (const padding of [0, 600_000]) {
    const trailed = fileOf(Buffer.concat([zipped, Buffer.alloc(padding), Buffer.from('more')]));
    const { same, damage } = await compare(trailed, data);
    expect({ same, damage }).toEqual({
      same: true,
      damage: `from byte ${zipped.length + padding} on there is something after the end of the gzip stream, which was left out`,
    });
  }
});

test('of a gzip stream that was cut all is kept that can be inflated, and the cut is said', async () => {
  const data = noise(600_000);
  const zipped = gzipSync(data);
  for (const left of [zipped.length - 1, zipped.length - 8, 300_000, 1 << 18, 100, 11]) {
    const { text, damage } = await read(fileOf(zipped.subarray(0, left)));
    expect(damage).toBe(`the gzip stream is cut off at byte ${left}`);
    expect(text.equals(data.subarray(0, text.length))).toBe(true);
    // Noise is stored, not compressed.
    expect(text.length).toBeGreaterThan(Math.min(data.length, left - 30) - 66_000);
  }
});

const GZIP_HEADER_BYTES = 10;

/** Where the blocks of a gzip stream of `level: 0` begin, and how much text stands before each. */
function storedBlocks(stored: Buffer): { readonly at: number; readonly before: number }[] {
  const blocks: { at: number; before: number }[] = [];
  let before = 0;
  for (let at = GZIP_HEADER_BYTES; at < stored.length - 8;) {
    blocks.push({ at, before });
    const bytes = stored.readUInt16LE(at + 1);
    before += bytes;
    at += 5 + bytes;
  }
  return blocks;
}

test('of a damaged gzip stream all is kept that stands before the damage, which is said with its byte', async () => {
  const data = noise(400_000);
  const stored = gzipSync(data, { level: 0 });
  const blocks = storedBlocks(stored);
  expect(blocks.length).toBeGreaterThan(4);
  for (const { at, before } of blocks) {
    const damaged = Buffer.from(stored);
    damaged[at] = 0b110;
    const { text, damage } = await read(fileOf(damaged));
    expect(text.equals(data.subarray(0, before))).toBe(true);
    expect(damage).toBe(
      `the gzip stream is damaged at byte ${at} (invalid block type): what follows was left out, and what stands just before may be wrong`,
    );
  }
  const header = Buffer.from(stored);
  header[2] = 9;
  expect(await read(fileOf(header))).toMatchObject({
    damage: expect.stringMatching(
      /^the gzip stream is damaged at byte \d \(unknown compression method\)/,
    ),
    text: Buffer.alloc(0),
  });
});

test('where nothing but the checksum tells of damage, all is kept and all is doubted', async () => {
  const lines = Buffer.from(Array.from({ length: 9000 }, (_, at) => `line ${at}\n`).join(''));
  const zipped = gzipSync(lines);
  // Length and checksum are the last eight bytes.
  for (const fromEnd of [8, 4]) {
    const damaged = Buffer.from(zipped);
    damaged[zipped.length - fromEnd] ^= 1;
    const { same, damage } = await compare(fileOf(damaged), lines);
    expect(same).toBe(true);
    expect(damage).toBe(
      `the checksum at byte ${zipped.length - fromEnd + 3} of the gzip stream is wrong: what was read may be wrong too`,
    );
  }
});

test('a damaged gzip stream that comes through a pipe loses 16 KiB at most', async () => {
  const data = noise(400_000);
  const damaged = gzipSync(data, { level: 0 });
  const { at = 0, before: good = 0 } = storedBlocks(damaged).at(-1) ?? {};
  damaged[at] = 0b110;
  const path = namedPipe();
  const reading = read(path);
  createWriteStream(path).end(damaged);
  const { text, damage } = await reading;
  expect(text.equals(data.subarray(0, text.length))).toBe(true);
  expect(text.length).toBeGreaterThan(good - (1 << 14));
  const [, from, to] =
    /damaged between bytes (\d+) and (\d+) .* cannot be read twice/.exec(damage ?? '') ?? [];
  expect(Number(from)).toBeLessThanOrEqual(at);
  expect(Number(to)).toBeGreaterThan(at);
});

test('a damaged gzip stream is not read again to its damage by whoever has stopped', async () => {
  const damaged = gzipSync(noise(4_000_000), { level: 0 });
  damaged[storedBlocks(damaged).at(-1)?.at ?? 0] = 0b110;
  const abort = new AbortController();
  const { interrupted, damage } = await read(fileOf(damaged), {
    signal: abort.signal,
    onProgress: () => abort.abort(),
  });
  expect({ interrupted, damage }).toEqual({ interrupted: true, damage: undefined });
});

test.each(['plain', 'gzip'])(
  'a %s file that grows is read to the end that it then has',
  async (form) => {
    const [first, more] = [noise(700_000).fill('x', 0, 2), noise(500_000)];
    const inForm = (bytes: Buffer): Buffer => (form === 'gzip' ? gzipSync(bytes) : bytes);
    const path = fileOf(inForm(first));
    let grown = false;
    const { text, damage } = await read(path, {
      onProgress: () => {
        if (!grown) appendFileSync(path, inForm(more));
        grown = true;
      },
    });
    expect(damage).toBeUndefined();
    expect(text.equals(Buffer.concat([first, more]))).toBe(true);
  },
);

test('a file that is cut while it is read: what was read stays good, and the cut is said', async () => {
  const data = noise(900_000).fill('x', 0, 2);
  const path = fileOf(data);
  const { text, damage } = await read(path, { onProgress: () => truncateSync(path, 100) });
  expect(damage).toBe('the file was cut to 100 bytes while it was read');
  expect(text.length).toBeGreaterThan(100);
  expect(text.equals(data.subarray(0, text.length))).toBe(true);
});

test('what cannot be read is named, with the reason', async () => {
  const missing = newPath();
  await expect(read(missing)).rejects.toEqual(
    new InputError(`cannot read ${missing}: no such file`),
  );
  await expect(read('/')).rejects.toEqual(new InputError('cannot read /: is a directory'));
  const file = fileOf('x');
  await expect(read(`${file}/y`)).rejects.toEqual(
    new InputError(`cannot read ${file}/y: a part of the path is not a directory`),
  );
});

test('what taking the bytes throws comes through, from plain files and from gzip', async () => {
  const mine = new Error('mine');
  const onChunk = (): void => {
    throw mine;
  };
  for (const bytes of [noise(500_000).fill(0, 0, 2), gzipSync(noise(500_000))])
    await expect(read(fileOf(bytes), { onChunk })).rejects.toBe(mine);
});

test('reading stops when it is told to, and what was read stays good', async () => {
  const data = noise(20_000_000).fill('x', 0, 2);
  const abort = new AbortController();
  let told = 0;
  const { interrupted, text } = await read(fileOf(data), {
    signal: abort.signal,
    onProgress: (done, total) => {
      told = done;
      expect(total).toBe(data.length);
      if (done > 1_000_000) abort.abort();
    },
  });
  expect(interrupted).toBe(true);
  expect(text.length).toBe(told);
  expect(text.equals(data.subarray(0, told))).toBe(true);
});

function namedPipe(): string {
  const path = newPath('.fifo');
  execFileSync('/bin/sh', ['-c', 'mkfifo "$1"', 'sh', path]);
  return path;
}

test('a named pipe is read to the end, as slowly as it comes', async () => {
  const path = namedPipe();
  const reading = read(path);
  const writer = createWriteStream(path);
  for (const text of ['a', 'bc', 'def\n']) {
    writer.write(text);
    await pause(20);
  }
  writer.end();
  expect(await reading).toEqual({ ...WHOLE, text: Buffer.from('abcdef\n') });
});

test('a silent pipe does not hold up whoever wants to stop', async () => {
  const path = namedPipe();
  const abort = new AbortController();
  const child = spawn('/bin/sh', ['-c', 'exec > "$1"; printf abc; exec sleep 9', 'sh', path]);
  const reading = read(path, { signal: abort.signal, onProgress: () => abort.abort() });
  expect(await reading).toEqual({ damage: undefined, interrupted: true, text: Buffer.from('abc') });
  child.kill();
});
