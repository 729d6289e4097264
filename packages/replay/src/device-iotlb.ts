/** What the device IOTLB did, as `--json` prints it, and for people. */
import { AREAS, MISSED_OF, type DeviceIotlbFound } from '@vhostscope/model';
import { counted, duration, grouped, percent, tableLines } from '@vhostscope/terminal';
import type { OpenTrace } from '@vhostscope/trace';
import { z } from 'zod';
import { numberColumn, textColumn, virtqueueName, wrapped } from './text-parts.js';

const count = z.number().int().nonnegative();
/** ns, decimal. */
const time = z.string();

const lookups = z.object({ hits: count, misses: count });

export const deviceIotlbSchema = z.object({
  /** Whether misses, and what the owners of devices answer, could be seen: where not, none is counted. */
  misses_told: z.boolean(),
  virtqueues: z.array(
    z.object({
      id: count,
      dev: count.nullable(),
      /** Rounds with the device IOTLB on; of those, such as left at once for lack of a translation of the ring. */
      rounds: count,
      skipped: count,
      /** Misses, by what was asked for. */
      misses: z.record(z.enum(MISSED_OF), count),
      /**
       * Lookups at the beginning of rounds: whether a translation of the whole area was kept (meta-IOTLB). null where
       * no round told.
       */
      meta: z.record(z.enum(AREAS), lookups).nullable(),
    }),
  ),
  devices: z.array(
    z.object({
      dev: count,
      misses: count,
      /** Translations that the owner gave and took back; each drops what is kept of all rings. */
      updates: count,
      invalidations: count,
      /** Misses that were seen to be answered, and how long they waited: on average, and at most; ns. */
      answered: count,
      wait_mean: count.nullable(),
      wait_longest: count.nullable(),
      /** How often misses came as a storm. */
      storms: count,
    }),
  ),
  /** The first of them. */
  storms: z.array(
    z.object({ dev: count, recording: count, begin: time, end: time, misses: count }),
  ),
});
export type DeviceIotlb = z.infer<typeof deviceIotlbSchema>;

/** What a plan calls the view of misses. */
const VIEW = 'misses of the device IOTLB';

/** Undefined where it was never on. */
export function deviceIotlbResult(
  { index }: OpenTrace,
  found: DeviceIotlbFound,
  virtqueues: readonly { readonly id: number; readonly dev: number | null }[],
): DeviceIotlb | undefined {
  if (found.virtqueues.size === 0 && found.devices.size === 0) return undefined;
  const view = index.header.probes?.views.find(({ what }) => what === VIEW);
  return {
    misses_told: view === undefined ? found.devices.size > 0 : view.certainty !== 'invisible',
    virtqueues: virtqueues.flatMap(({ id, dev }) => {
      const counts = found.virtqueues.get(id);
      if (counts === undefined) return [];
      const { rounds, skipped, misses, metaHits, metaMisses } = counts;
      return {
        id,
        dev,
        rounds,
        skipped,
        misses: named(MISSED_OF, (at) => misses[at] ?? 0),
        // Each round that tells looks up one area at the least.
        meta: [...metaHits, ...metaMisses].some((times) => times > 0)
          ? named(AREAS, (area) => ({
              hits: metaHits[area] ?? 0,
              misses: metaMisses[area] ?? 0,
            }))
          : null,
      };
    }),
    devices: [...found.devices].map(([dev, { waited, longest, ...counts }]) => ({
      dev,
      ...counts,
      wait_mean: counts.answered === 0 ? null : Math.round(waited / counts.answered),
      wait_longest: counts.answered === 0 ? null : longest,
    })),
    storms: found.storms.map(({ begin, end, ...storm }) => ({
      ...storm,
      begin: String(begin),
      end: String(end),
    })),
  };
}

function named<Name extends string, Value>(
  names: readonly Name[],
  value: (at: number) => Value,
): Record<Name, Value> {
  return Object.fromEntries(names.map((name, at) => [name, value(at)])) as Record<Name, Value>;
}

export function deviceIotlbLines(found: DeviceIotlb | null): string[] {
  if (found === null) return [];
  const sum = (of: (one: DeviceIotlb['virtqueues'][number]) => number): number =>
    found.virtqueues.reduce((all, one) => all + of(one), 0);
  const rounds = sum((one) => one.rounds);
  const skipped = sum((one) => one.skipped);
  return [
    '',
    `device IOTLB: ${counted(rounds, 'round')} went by it${skipped === 0 ? '' : `, ${grouped(skipped)} of them left at once, as a translation of the ring was missing`}`,
    ...(found.virtqueues.length === 0
      ? []
      : tableLines(COLUMNS, found.virtqueues.map(row)).map((line) => `  ${line}`)),
    ...(found.misses_told
      ? found.devices.flatMap(deviceLines)
      : ['  what it missed, and how that was answered, was not recorded']),
    ...stormLines(found),
  ];
}

const COLUMNS = [
  textColumn('virtqueue'),
  numberColumn('rounds'),
  numberColumn('left'),
  numberColumn('meta-IOTLB hits'),
  numberColumn('ring misses'),
  numberColumn('buffer misses'),
];

function row({
  rounds,
  skipped,
  misses,
  meta,
  ...virtqueue
}: DeviceIotlb['virtqueues'][number]): string[] {
  const { buffer, ...ofRing } = misses;
  const lookedUp = Object.values(meta ?? {});
  const hits = lookedUp.reduce((all, area) => all + area.hits, 0);
  const missed = lookedUp.reduce((all, area) => all + area.misses, 0);
  return [
    virtqueueName(virtqueue),
    grouped(rounds),
    grouped(skipped),
    meta === null ? '–' : percent(hits, hits + missed),
    grouped(Object.values(ofRing).reduce((all, one) => all + one, 0)),
    grouped(buffer),
  ];
}

function deviceLines(device: DeviceIotlb['devices'][number]): string[] {
  const { dev, misses, updates, invalidations, answered, wait_mean, wait_longest } = device;
  const waited =
    wait_mean === null || wait_longest === null
      ? ''
      : `; of ${counted(answered, 'miss', 'misses')} the answer was seen, after ${duration(wait_mean)} on average and ${duration(wait_longest)} at most`;
  return wrapped(
    '  ',
    `dev ${dev}: ${counted(misses, 'miss', 'misses')}, ${counted(updates, 'update')} and ${counted(invalidations, 'invalidation')} by its owner, each of which drops what the meta-IOTLB keeps${waited}`,
    '    ',
  );
}

function stormLines({ devices, storms }: DeviceIotlb): string[] {
  const all = devices.reduce((sum, device) => sum + device.storms, 0);
  const worst = storms.toSorted((a, b) => b.misses - a.misses)[0];
  if (worst === undefined) return [];
  const { dev, begin, end, misses } = worst;
  return wrapped(
    '  ',
    `${counted(all, 'storm')} of misses; the worst: ${grouped(misses)} of dev ${dev} within ${duration(BigInt(end) - BigInt(begin))}, from ${begin} ns`,
    '    ',
  );
}
