/** Storms in `replay export --format perfetto`. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stormsResultSchema } from '../src/storms-result.ts';
import { exportedPerfetto } from './exported-perfetto.ts';
import { replay } from './in-process.ts';
import { RANGE, writeStockTrace } from './stock-trace.ts';
import { temporaryFolder, textOf, writeTrace } from './traces.ts';

const folder = temporaryFolder();

/** Of several processes, one of a name that looks like two. */
const nameOf = (i: number): string => (i % 7 === 0 ? 'a (pid 9): 1, b' : 'ksmd');

/** A thousand ranges a second over the ring, for half a second. */
const stockStorm = (path: string): void =>
  writeStockTrace(
    path,
    [
      'U 2000 0 ffff888100000100 0 7f0000000000 4096 -',
      ...Array.from({ length: 500 }, (_, i) => [
        `K ${1_000_000 * (i + 1)} 0 42 1 ${RANGE} ${i % 5 === 0 ? 8 : 7} ${nameOf(i)}`,
        `K ${1_000_000 * (i + 1) + 1000} 0 42 0 ${RANGE} ${i % 5 === 0 ? 8 : 7} ${nameOf(i)}`,
      ]).flat(),
    ],
    600_000_000n,
  );

it.each([
  ['a storm', (path: string) => writeTrace(path, [textOf('s1')])],
  ['two recordings', (path: string) => writeTrace(path, [textOf('s3'), textOf('s1')])],
  ['a stock host', stockStorm],
])('storms of %s are those that replay storms lists', async (of, write) => {
  const path = join(folder, `${of}.arrows`);
  write(path);
  const perfetto = await exportedPerfetto(folder, path);
  const { slices, tracks } = perfetto;
  const { out } = await replay('storms', '--json', path);
  const listed = stormsResultSchema.parse(JSON.parse(out)).storms;
  expect(listed).not.toHaveLength(0);
  const found = [...slices].flatMap(([uuid, list]) =>
    perfetto.path(uuid).endsWith('/storms') ? list.map((slice) => ({ ...slice, uuid })) : [],
  );
  const byNumber = found.toSorted(
    (a, b) => Number(a.annotations['number']) - Number(b.annotations['number']),
  );
  expect(byNumber.map(({ name, begin, end }) => [name, begin, end])).toEqual(
    listed.map(({ number, begin, end }) => [`storm ${number}`, BigInt(begin), BigInt(end)]),
  );
  for (const [i, { uuid, annotations }] of byNumber.entries()) {
    const { dev, ranges, by, down, causes, classes, virtqueues, processes } = listed[i] ?? {};
    expect(tracks.get(tracks.get(uuid)?.parent_uuid ?? '')?.name).toContain(`vhost dev ${dev}`);
    expect(annotations).toMatchObject({ ranges: String(ranges), by: by?.join(', ') });
    const noted = (prefix: string): Record<string, number> =>
      Object.fromEntries(
        Object.entries(annotations).flatMap(([key, value]) =>
          key.startsWith(prefix) ? [[key.slice(prefix.length), Number(value)]] : [],
        ),
      );
    expect(Number(annotations['down_ns'])).toBeCloseTo((down ?? 0) * 1e9, 0);
    expect(noted('causes.')).toEqual(causes);
    expect(noted('classes.')).toEqual(classes ?? {});
    expect(noted('virtqueues.')).toEqual(
      Object.fromEntries(virtqueues?.map(({ id, ranges: over }) => [id, over]) ?? []),
    );
    for (const [at, { comm, pid, ranges: made }] of (processes ?? []).entries())
      expect(annotations[`processes.${at}`]).toBe(`${comm} (pid ${pid}): ${made}`);
  }
});
