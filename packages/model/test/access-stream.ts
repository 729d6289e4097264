/** The accesses and marks of each virtqueue of a golden trace, for the acceptor. */
import type { AccessorAcceptor } from '../src/accessor-rules/accessor-acceptor.ts';
import { numberOf, type EventRecord } from './event-record.ts';
import { GOLDEN_TRACES, goldenPath } from './golden-traces.ts';
import { readTextTrace } from './text-trace.ts';

/** One event of a virtqueue: an access, or a mark between accesses. */
export type Item =
  | {
      readonly kind: 'access';
      readonly accessor: number;
      readonly entries: number;
      /** Whether it was seen to go by the device IOTLB; absent when that was not seen. */
      readonly iotlb?: boolean | undefined;
    }
  | { readonly kind: 'round' | 'unmap' | 'reset' | 'forget' }
  | { readonly kind: 'addresses'; readonly area: number; readonly size: number };

function itemOf(event: EventRecord): Item | undefined {
  const kind = event.event;
  if (kind === 'access') {
    return {
      kind,
      accessor: numberOf(event, 'accessor'),
      entries: numberOf(event, 'entries'),
      iotlb: numberOf(event, 'observed') === 2,
    };
  }
  if (kind === 'addresses') {
    return { kind, area: numberOf(event, 'area'), size: numberOf(event, 'size') };
  }
  return kind === 'round' || kind === 'unmap' || kind === 'reset' ? { kind } : undefined;
}

/** Events by virtqueue. A recording starts all of them anew. */
export function streamsOf(events: readonly EventRecord[]): Item[][] {
  const streams: Item[][] = [];
  for (const event of events) {
    if (event.event === 'recording') for (const stream of streams) stream.push({ kind: 'forget' });
    if (event.vq === undefined) continue;
    const item = itemOf(event);
    const stream = (streams[Number(event.vq)] ??= []);
    if (item !== undefined) stream.push(item);
  }
  return streams;
}

/** Gives one event to an acceptor; false when it is rejected. */
export function give(acceptor: AccessorAcceptor, item: Item): boolean {
  switch (item.kind) {
    case 'access':
      if (item.iotlb !== undefined) acceptor.iotlb(item.iotlb);
      return acceptor.access(item.accessor, item.entries);
    case 'addresses':
      return acceptor.addresses(item.area, item.size);
    case 'round':
      return acceptor.round();
    case 'unmap':
      return acceptor.unmap();
    case 'reset':
      return acceptor.reset();
    case 'forget':
      acceptor.forget();
      return true;
  }
}

/** The golden traces of the repository, by name. */
export function goldenStreams(): { readonly name: string; readonly streams: Item[][] }[] {
  return GOLDEN_TRACES.map((name) => ({
    name: name.replace('.txt.gz', ''),
    streams: streamsOf(readTextTrace(goldenPath(name))),
  }));
}
