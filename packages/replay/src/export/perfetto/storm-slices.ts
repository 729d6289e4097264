/**
 * Storms, as slices of the device whose rings they came over: those that `replay storms` lists without
 * --storm-rate. They are found before the export begins, and told when their recording has ended.
 */
import type { Storm } from '@vhostscope/model';
import type { FoundStorms } from '../../find-storms.js';
import { causesOf, classesOf, processesOf } from '../../storms-result.js';
import type { Annotations, PacketSequence, PacketStream } from './packet-sequence.js';

export interface StormSlices {
  /**
   * Tells the storms of a recording.
   *
   * @param deviceOf the track of a device
   * @param rank among what the device has
   */
  tell(recording: number, deviceOf: (dev: number) => number, rank: number): void;
}

export function createStormSlices(
  stream: PacketStream,
  { storms, classOf }: FoundStorms,
): StormSlices {
  const begin = (parent: number, rank: number): { sequence: PacketSequence; track: number } => {
    const sequence = stream.sequence();
    return { sequence, track: sequence.track({ name: 'storms', parent, rank }) };
  };
  return {
    tell: (recording, deviceOf, rank) => {
      const sequences = new Map<number, { sequence: PacketSequence; track: number }>();
      for (const storm of storms) {
        if (Math.max(0, storm.recording) !== recording) continue;
        // They follow one another on a device, but those of several devices overlap.
        const of = sequences.get(storm.dev) ?? begin(deviceOf(storm.dev), rank);
        sequences.set(storm.dev, of);
        const annotations = annotated(storm, classOf);
        of.sequence.begin(storm.begin, of.track, `storm ${storm.number}`, annotations);
        of.sequence.end(storm.end, of.track);
      }
    },
  };
}

/** Names with a dot are what Perfetto makes of a dictionary: debug.causes.clear. */
function annotated(storm: Storm, classOf: FoundStorms['classOf']): Annotations {
  const { number, ranges, isByRate, isByDown, down, virtqueues, otherCulprits } = storm;
  const noted: Record<string, string | number> = {
    number,
    ranges,
    by: [...(isByRate ? ['rate'] : []), ...(isByDown ? ['down'] : [])].join(', '),
    down_ns: Number(down),
  };
  for (const [cause, count] of Object.entries(causesOf(storm))) noted[`causes.${cause}`] = count;
  for (const [name, count] of Object.entries(classesOf(storm, classOf) ?? {}))
    noted[`classes.${name}`] = count;
  for (const [vq, count] of [...virtqueues].toSorted(([a], [b]) => a - b))
    noted[`virtqueues.${vq}`] = count;
  // A name may hold whatever would part it from the next.
  for (const [at, { pid, comm, ranges: by }] of processesOf(storm).entries())
    noted[`processes.${at}`] = `${comm} (pid ${pid}): ${by}`;
  if (otherCulprits > 0) noted['other_processes'] = otherCulprits;
  return noted;
}
