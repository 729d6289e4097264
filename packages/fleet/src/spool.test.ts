import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endOfStream, OutputError } from '@vhostscope/trace';
import { spooledTrace } from '../test/spooled-trace.js';
import { FRAME_HEADER_BYTES } from './spool-frames.js';
import { createSpoolBudget } from './spool-budget.js';
import { makeRunFolder, readAcknowledged, runFolders, writeRunNote } from './spool-folder.js';
import { segmentName, startOfSpool } from './spool-place.js';
import { createSpoolWriter, RESERVE_BYTES, type SpoolWriter } from './spool-writer.js';
import { createSpooledRun, openLeftRun, type LeftRun } from './spooled-run.js';
import { takeRun } from './run-owner.js';

const NAME = { host: 'host', run: 'run' };
const SERVER = 'nats://h:4222';

let spool: string;
beforeEach(() => {
  spool = mkdtempSync(join(tmpdir(), 'vhostscope-spool-'));
});
afterEach(() => rmSync(spool, { recursive: true, force: true }));

interface Written {
  readonly folder: string;
  readonly writer: SpoolWriter;
  /** As a process that is killed. */
  die(): void;
}

function beginRun({ max = 2 ** 30, segmentBytes = 2 ** 24 } = {}): Written {
  const { folder, ownership } = makeRunFolder(spool, NAME);
  const budget = createSpoolBudget(spool, folder, max, RESERVE_BYTES);
  const writer = createSpoolWriter({
    folder,
    name: NAME,
    budget,
    segmentBytes,
    reserveBytes: RESERVE_BYTES,
  });
  writeRunNote(folder, { ...NAME, server: SERVER });
  return {
    folder,
    writer,
    die: () => {
      writer.close();
      ownership.release();
    },
  };
}

async function append(writer: SpoolWriter, ...all: Uint8Array[]): Promise<void> {
  for (const bytes of all) writer.output.append([bytes], bytes.length);
  await writer.output.settle();
}

function left(folder: string): LeftRun {
  const run = openLeftRun(folder);
  if (typeof run === 'string') throw new Error(run);
  return run;
}

const block = (size: number, value: number): Uint8Array => new Uint8Array(size).fill(value);

describe('the spool of a run', () => {
  it('gives back what was written, in files that are sent and deleted one by one', async () => {
    const { folder, writer } = beginRun({ segmentBytes: 1_000_000 });
    const all = Array.from({ length: 40 }, (_, at) => block(100_000 + at, at));
    for (const bytes of all) await append(writer, bytes);
    await append(writer, endOfStream());
    writer.end();
    let freed = 0;
    const ownership = takeRun(folder);
    expect(ownership).toBeUndefined();
    const run = createSpooledRun({
      name: NAME,
      folder,
      from: startOfSpool(NAME),
      ownership: {
        at: () => {
          throw new Error('not moved');
        },
        stillHere: () => undefined,
        release: () => undefined,
      },
      whole: () => writer.whole,
      hasEnd: () => true,
      onFreed: (bytes) => (freed += bytes),
    });
    const { bytes, end } = spooledTrace(run);
    expect(bytes.equals(Buffer.concat([...all, endOfStream()]))).toBe(true);
    expect(end).toBe('closed');
    const files = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.pieces'));
    const before = files();
    expect(before.length).toBeGreaterThan(3);
    for (let { place } = run.acknowledged; ;) {
      const read = run.read(place);
      if (read === undefined) break;
      place = read.next;
      run.acknowledge(read);
    }
    run.settle();
    expect(files()).toEqual(before.slice(-1));
    expect(freed).toBeGreaterThan(3_000_000);
    expect(readAcknowledged(folder)?.seq).toBe(writer.whole.seq);
    writer.close();
  });

  it('is recovered whatever byte its last write ends at: what was whole is there, the rest is cut', async () => {
    const first = beginRun();
    const all = [block(70, 1), block(50, 2), block(90, 3)];
    const sizes: number[] = [];
    for (const bytes of all) {
      await append(first.writer, bytes);
      sizes.push(first.writer.whole.place.position);
    }
    first.die();
    const file = join(first.folder, segmentName(0));
    const good = readFileSync(file);
    for (let size = 0; size <= good.length; size++) {
      writeFileSync(file, good.subarray(0, size));
      const run = left(first.folder);
      const whole = sizes.filter((end) => end <= size).length;
      const { bytes, end } = spooledTrace(run);
      expect(bytes.equals(Buffer.concat(all.slice(0, whole)))).toBe(true);
      expect(end).toBe('cut');
      expect(run.torn).toBe(size - (sizes[whole - 1] ?? 0));
      run.close();
    }
  });

  it('takes nothing that was changed for a piece', async () => {
    const first = beginRun();
    await append(first.writer, block(300, 1));
    await append(first.writer, block(300, 2));
    first.die();
    const file = join(first.folder, segmentName(0));
    const good = readFileSync(file);
    for (let at = 0; at < good.length; at += 7) {
      // What stands there is not looked at.
      if (at % (FRAME_HEADER_BYTES + 300) >= 12 && at % (FRAME_HEADER_BYTES + 300) < 16) continue;
      const bad = Buffer.from(good);
      bad[at] ^= 0x55;
      writeFileSync(file, bad);
      const run = left(first.folder);
      const { bytes, end } = spooledTrace(run);
      expect(bytes.length).toBe(at < FRAME_HEADER_BYTES + 300 ? 0 : 300);
      expect(end).toBe('cut');
      run.close();
    }
  });

  it('goes on behind what is acknowledged, also where its file is shorter now', async () => {
    const first = beginRun();
    for (const value of [1, 2, 3]) await append(first.writer, block(1000, value));
    first.die();
    let run = left(first.folder);
    const read = run.read(run.acknowledged.place);
    if (read === undefined) throw new Error('nothing to send');
    run.acknowledge(read);
    run.close();
    run = left(first.folder);
    expect(spooledTrace(run).seqs).toEqual([1, 2, 3]);
    run.close();
    // As after a crash of the host.
    truncateSync(join(first.folder, segmentName(0)), 10);
    run = left(first.folder);
    expect(run.acknowledged.seq).toBe(1);
    expect(run.read(run.acknowledged.place)?.piece).toMatchObject({
      kind: 'cut',
      seq: 1,
      offset: 1000,
    });
    run.close();
  });

  it('is sent again from its first file where it is not known how far it was', async () => {
    const first = beginRun({ segmentBytes: 2000 });
    for (const value of [1, 2, 3, 4, 5]) await append(first.writer, block(1500, value));
    first.die();
    writeFileSync(join(first.folder, 'acknowledged'), '');
    rmSync(join(first.folder, segmentName(0)));
    const run = left(first.folder);
    const next = run.read(run.acknowledged.place);
    expect(next?.piece.seq).toBe(2);
    expect(run.torn).toBe(0);
    run.close();
  });

  it('belongs to one process at a time', async () => {
    const first = beginRun();
    await append(first.writer, block(10, 1));
    expect(openLeftRun(first.folder)).toBe('in use');
    first.die();
    const run = left(first.folder);
    expect(openLeftRun(first.folder)).toBe('in use');
    run.close();
    // One that is dead: no process has that number.
    writeFileSync(
      join(first.folder, 'owner.9'),
      JSON.stringify({ pid: 4_194_304, began: '1', boot: 'x', namespace: '' }),
    );
    left(first.folder).close();
  });

  it('leaves nothing of a run that was not begun', () => {
    const { folder, ownership } = makeRunFolder(spool, NAME);
    ownership.release();
    expect(openLeftRun(folder)).toBe('nothing');
    expect(runFolders(spool)).toEqual([]);
  });

  it('is full at its limit, with room for the end, and is for nobody else', async () => {
    const { folder, writer } = beginRun({ max: 4 * 2 ** 20 });
    let fits = 0;
    const fill = (): void => {
      for (;;) {
        writer.output.append([block(100_000, 7)], 100_000);
        fits++;
      }
    };
    expect(fill).toThrow(OutputError);
    await writer.output.abandon();
    expect(fits).toBeGreaterThan(15);
    writer.output.cutBack(10_000);
    await append(writer, block(500_000, 8), endOfStream());
    writer.end();
    expect(writer.isClosed).toBe(true);
    expect(writer.whole.offset).toBe(fits * 100_000 + 500_000 + endOfStream().length);
    writer.close();
    const modes = [folder, ...readdirSync(folder).map((name) => join(folder, name))].map(
      (path) => statSync(path).mode & 0o077,
    );
    expect(new Set(modes)).toEqual(new Set([0]));
  });
});
