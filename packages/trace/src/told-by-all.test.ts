import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventsOf, fileOf, importText } from '../test/trace-files.ts';
import { visitTrace } from './merge-cpus.js';
import { openTrace, type OpenTrace } from './open-trace.js';
import { batchEnd } from './place-list.js';

/** Of three CPUs that tell more and less often, in no order between them. */
const TEXT = Array.from({ length: 9000 }, (_, at) => {
  const cpu = at % 10 < 7 ? 0 : at % 10 < 9 ? 1 : 2;
  return `N ${1000 + at} ${cpu} ffff888100000000 1 0\n`;
}).join('');

const { fd, path } = importText(`# vhost-oracle 1\n${TEXT}`);
const BYTES = readFileSync(path);
const TIMES = eventsOf(fd)
  .filter(({ event }) => event === 'notifier')
  .map(({ time }) => time);

const SAID = /: near its end .*; before (\d+) ns none is of its (\d) CPUs, .*--to of replay/;

function timesIn({ fd: bytes, index }: OpenTrace, before: bigint): bigint[] {
  const found: bigint[] = [];
  visitTrace(bytes, index, (batch, from, to) => {
    for (let row = from; row < to; row++) {
      const time = (BigInt(batch.time[2 * row + 1]) << 32n) | BigInt(batch.time[2 * row]);
      if (batch.line[row] > 1 && time < before) found.push(time);
    }
  });
  return found;
}

async function endsOfBatches(): Promise<number[]> {
  const whole = await openTrace(path);
  const [recording] = whole.index.recordings;
  const ends = [...(recording?.events.values() ?? [])].flatMap((list) => [...list].map(batchEnd));
  whole.close();
  return ends.toSorted((a, b) => a - b);
}

test.each(['cut off', 'damaged'])(
  'of a trace that is %s anywhere nothing is missing before what is told',
  async (how) => {
    const ends = await endsOfBatches();
    let said = 0;
    for (const end of ends.slice(0, -1)) {
      const bytes = how === 'damaged' ? Uint8Array.from(BYTES) : BYTES.subarray(0, end);
      // The mark at the beginning of the next message.
      if (how === 'damaged') bytes[end] ^= 1;
      const trace = await openTrace(fileOf(bytes, '.arrows'));
      const [, time, cpus] = SAID.exec(trace.damage.join('\n')) ?? [];
      const heard = trace.index.recordings[0]?.events.size ?? 0;
      expect(cpus).toBe(heard < 2 ? undefined : String(heard));
      // The third CPU may have been heard of by nobody, as it says.
      if (heard === 3) {
        const before = BigInt(time ?? 0);
        expect(timesIn(trace, before)).toEqual(TIMES.filter((one) => one < before));
        said++;
      }
      trace.close();
    }
    expect(said).toBeGreaterThan(5);
  },
);

test('nothing of the kind is said of one that has ended, and was just not closed', async () => {
  const whole = await openTrace(path);
  const end = batchEnd(whole.index.recordings[0]?.end);
  whole.close();
  const trace = await openTrace(fileOf(BYTES.subarray(0, end), '.arrows'));
  expect(trace.damage).toEqual([expect.stringContaining('the trace was not closed')]);
  trace.close();
});
