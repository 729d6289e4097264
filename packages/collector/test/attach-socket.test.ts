/** `collector attach --socket`: what readers get, whoever joins when. */
import { once } from 'node:events';
import { createWriteStream, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { attach, TRUTH } from './attached.ts';
import { inOwnFolders } from './own-folders.ts';
import { emittedMeanwhile, recordedRounds } from './recorded-rounds.ts';

inOwnFolders();

describe('a live stream on a socket', () => {
  /** What a reader gets that connects when it was recorded into all.arrows for a while. */
  async function read(path: string, afterMs: number): Promise<string> {
    // The trace gets its name when the recording has begun: the socket is there before, and serves nobody.
    while (!existsSync('all.arrows')) await pause(10);
    await pause(afterMs);
    const file = `joined-${afterMs}.arrows`;
    await pipeline(connect(path), createWriteStream(file));
    return file;
  }

  it('begins with the rings and holds everything from then on, whoever joins when', async () => {
    const extra = ['U 5 0 ffff888000001000 0 7f0000000000 4096 0'];
    const recording = attach(
      { extra, holdMs: 40 },
      '--duration',
      '900ms',
      '--socket',
      'live.sock',
      '-o',
      'all.arrows',
    );
    const joined = [read('live.sock', 300), read('live.sock', 700)];
    const { code, err } = await recording;
    expect(code).toBe(0);
    expect(err).toMatch(/recording to all\.arrows and live\.sock for 0\.9 s\n/);
    expect(existsSync('live.sock')).toBe(false);
    const whole = await recordedRounds('all.arrows');
    for (const file of await Promise.all(joined)) {
      const { rounds, events, addresses, end, damage } = await recordedRounds(file);
      expect(damage).toEqual([]);
      expect(end).toMatchObject({ complete: true, events });
      expect(addresses).toHaveLength(1);
      for (const [cpu, recorded] of rounds.entries()) {
        expect(recorded.length).toBeGreaterThan(15);
        expect(recorded).toEqual(whole.rounds[cpu]?.slice(-recorded.length));
      }
      expect(rounds[0]?.length).toBeLessThan(whole.rounds[0]?.length ?? 0);
    }
  });

  it('ten readers, whatever they do, cost neither the recording nor each other anything', async () => {
    const extra = ['U 5 0 ffff888000001000 0 7f0000000000 4096 0'];
    const args = ['--duration', '1500ms', '--socket', 'live.sock', '-o', 'all.arrows'];
    const recording = attach({ extra, perTick: 100, holdMs: 20 }, ...args);
    while (!existsSync('all.arrows')) await pause(10);
    const streams = Array.from({ length: 10 }, (_, at) => {
      const bytes: Buffer[] = [];
      const begin = (): Socket =>
        connect('live.sock').on('data', (data: Buffer) => bytes.push(data));
      // Takes a little at a time, so that writes are short.
      const dawdle = (socket: Socket): Socket => {
        const turn = setInterval(() => socket.resume().once('data', () => socket.pause()), 20);
        return socket.pause().once('close', () => clearInterval(turn));
      };
      const first = at % 5 === 1 ? dawdle(begin()) : begin();
      if (at % 5 === 2) {
        // Nothing until the recording is nearly over.
        first.pause();
        setTimeout(() => first.resume(), 1200);
      }
      if (at % 5 === 3)
        first.once('data', () => {
          // In the middle of a message, and then anew from the beginning.
          first.destroy();
          bytes.length = 0;
          setTimeout(begin, 100);
        });
      if (at % 5 === 4) setTimeout(() => first.write('hello'.repeat(1000)), 300);
      return bytes;
    });
    const { code, err } = await recording;
    expect(code).toBe(0);
    expect(err).not.toMatch(/dropped/);
    await pause(300);
    const whole = await recordedRounds('all.arrows');
    expect(whole.end).toMatchObject({ complete: true });
    expect(emittedMeanwhile(TRUTH, whole.rounds)).toEqual(whole.rounds);
    for (const [at, bytes] of streams.entries()) {
      const file = `reader-${at}.arrows`;
      writeFileSync(file, Buffer.concat(bytes));
      const { rounds, events, end, damage } = await recordedRounds(file);
      expect(damage).toEqual([]);
      expect(end).toMatchObject({ complete: true, events });
      for (const [cpu, recorded] of rounds.entries()) {
        expect(recorded.length).toBeGreaterThan(1000);
        expect(recorded).toEqual(whole.rounds[cpu]?.slice(-recorded.length));
      }
    }
  });

  it('is for its owner only, and may be the only output', async () => {
    const recording = attach({}, '--duration', '600ms', '--socket', 'live.sock', '--json');
    while (!existsSync('live.sock')) await pause(10);
    expect(statSync('live.sock').mode & 0o777).toBe(0o600);
    const { code, out } = await recording;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ output: null, complete: true, readers_dropped: 0 });
    expect(readdirSync('.')).toEqual([]);
  });

  it('replaces a socket that nobody listens on, and nothing else', async () => {
    writeFileSync('file', '');
    expect(await attach({}, '--socket', 'file')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/file exists and is no socket/) as string,
    });
    const other = createServer().listen('live.sock');
    await once(other, 'listening');
    expect(await attach({}, '--socket', 'live.sock')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/somebody listens on live\.sock already/) as string,
    });
    expect(readdirSync('.').toSorted()).toEqual(['file', 'live.sock']);
    other.close();
    expect(await attach({}, '--socket', 'no/folder/live.sock')).toMatchObject({ code: 2 });
  });
});
