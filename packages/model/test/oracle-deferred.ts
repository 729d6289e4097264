/**
 * The slow, obvious truth about the vmap series (reference §2.1), for a recording of a kernel with the direct
 * map that does not say when a round ended: each access is judged by itself, by going back through the list.
 *
 * A map is there from the round's beginning. It is in doubt once a callback has come over the area that may
 * have waited for the end of the round, or was on its way when the round began.
 */
import { bigintOf, numberOf, type EventRecord } from './event-record.ts';
import { type AccessVerdict } from './oracle.ts';

const GET_AVAIL_HEAD = 2;
const GET_DESC = 6;
const AREA_OF = [0, 1, 1, 1, 1, 2, 0, 2, 2, 2, 2];

interface Place {
  readonly address: bigint;
  readonly size: bigint;
}

/** What is known of an area's place: somewhere, or 'unknown'. */
type Known = Place | 'unknown';

/**
 * What a design of the vmap series decides at each `access`.
 *
 * @param design vmap-v2, -v3, -v4 or -rfc-v2
 */
export function deferredOracle(events: readonly EventRecord[], design: string): AccessVerdict[] {
  const isByRange = design === 'vmap-rfc-v2';
  const deviceOf = new Map<number, number>();
  for (const event of events)
    if (event.event === 'virtqueue') deviceOf.set(numberOf(event, 'vq'), numberOf(event, 'dev'));

  /** The last event before `at` that `is`; -1 where there is none. */
  const last = (at: number, is: (event: EventRecord, index: number) => boolean): number => {
    for (let index = at - 1; index >= 0; index--) if (is(events[index], index)) return index;
    return -1;
  };

  const placeOf = (vq: number, area: number, at: number): Known => {
    const told = last(
      at,
      ({ event, vq: of, area: which }) =>
        of === vq && (event === 'reset' || (event === 'addresses' && which === area)),
    );
    if (told < 0) return 'unknown';
    const event = events[told];
    if (event.event === 'reset') return { address: 0n, size: 0n };
    const place = { address: bigintOf(event, 'address'), size: bigintOf(event, 'size') };
    if (event.error === undefined || event.error === 0) return place;
    // It failed: the place is the old one, if it is the same in any case.
    const before = placeOf(vq, area, told);
    const isSame =
      before !== 'unknown' &&
      before.size === place.size &&
      (place.size === 0n || before.address === place.address);
    return isSame ? before : 'unknown';
  };

  /** Whether a callback, entered at `at`, may have to do with an area. */
  const mayConcern = (callback: EventRecord, at: number, vq: number, area: number): boolean => {
    if (callback.dev !== deviceOf.get(vq)) return false;
    const place = placeOf(vq, area, at);
    if (place === 'unknown') return true;
    const { address, size } = place;
    const [start, end] = [bigintOf(callback, 'start'), bigintOf(callback, 'end')];
    if (size === 0n) return false;
    if (design === 'vmap-v2') return start < address && end >= address;
    return !(end < address || start > address - 1n + size);
  };

  const isAlike = (a: EventRecord, b: EventRecord): boolean =>
    a.dev === b.dev &&
    a.start === b.start &&
    a.end === b.end &&
    a.cause === b.cause &&
    a.blockable === b.blockable &&
    a.pid === b.pid &&
    a.comm === b.comm;

  /** Where unregistration has waited for all callbacks of a device, before `at`; -1 where it has not. */
  const lastQuiet = (dev: number | undefined, at: number): number =>
    last(at, ({ event, vq }, index) => {
      if (event !== 'unmap' || deviceOf.get(Number(vq)) !== dev) return false;
      const notifier = last(index, (one) => one.event === 'notifier' && one.dev === dev);
      return notifier >= 0 && !(events[notifier].registered === 1 && events[notifier].error === 0);
    });

  /** Whether a registration of the notifier was seen before `at`: from then on each end has a start that was. */
  const isPaired = (dev: number | undefined, at: number): boolean =>
    last(
      at,
      ({ event, dev: of, registered, error }) =>
        event === 'notifier' && of === dev && registered === 1 && error === 0,
    ) >= 0;

  /** Whether a callback that may concern an area was entered before `at`, and may not have returned by then. */
  const isUnderWay = (vq: number, area: number, at: number): boolean => {
    const dev = deviceOf.get(vq);
    const quiet = lastQuiet(dev, at);
    if (quiet < 0) return true;
    const open: { callback: EventRecord; concerns: boolean }[] = [];
    for (let index = quiet; index < at; index++) {
      const callback = events[index];
      const isStart = callback.event === 'range_start';
      if ((!isStart && callback.event !== 'range_end') || callback.dev !== dev) continue;
      const concerns = mayConcern(callback, index, vq, area);
      if (callback.blockable === 0) {
        // invalidate_range knows no such difference, and no end tells that it is through.
        if (isByRange && concerns) return true;
        continue;
      }
      if (isStart) {
        open.push({ callback, concerns });
        continue;
      }
      const alike = open.filter((one) => isAlike(one.callback, callback));
      if (alike.length > 0 && isPaired(dev, index)) {
        // One of them has returned; if any other that looks like it is left, it may be the one that matters.
        const isAny = alike.some((one) => one.concerns);
        open.splice(open.indexOf(alike[0]), 1);
        if (alike.length > 1) alike[1].concerns = isAny;
      }
      // Its end calls invalidate_range too, and nothing tells when that has returned.
      if (isByRange && concerns) return true;
    }
    return open.some((one) => one.concerns);
  };

  const isIotlb = (vq: number, at: number): boolean => {
    const told = last(
      at + 1,
      ({ event, vq: of, observed }) =>
        of === vq &&
        (event === 'reset' || event === 'iotlb' || (event === 'access' && observed === 2)),
    );
    if (told < 0) return false;
    return events[told].event === 'iotlb'
      ? events[told].enabled === 1
      : events[told].event !== 'reset';
  };

  const judge = (access: EventRecord, at: number): AccessVerdict => {
    const vq = numberOf(access, 'vq');
    const accessor = numberOf(access, 'accessor');
    const area = AREA_OF[accessor];
    if (isIotlb(vq, at)) return 'iotlb';
    const isOfVq = (event: EventRecord, name: EventRecord['event']): boolean =>
      event.event === name && event.vq === vq;
    const round = last(at, (event, index) => isOfVq(event, 'round') && !isIotlb(vq, index));
    // That the device IOTLB was on without having been told makes all that the model took for granted void.
    const surprise = last(at, (event, index) => {
      const isTold =
        (isOfVq(event, 'access') && event.observed === 2) ||
        (isOfVq(event, 'iotlb') && event.enabled === 0);
      return isTold && !isIotlb(vq, index - 1);
    });
    const drop = last(at, (event, index) => {
      if (isOfVq(event, 'reset')) return true;
      if (design === 'vmap-v2' || !isOfVq(event, 'addresses') || event.area !== area) return false;
      return placeIsSure(event, index);
    });
    const doubt = last(at, (event) => isOfVq(event, 'unmap'));
    const newest = Math.max(round, surprise, drop);
    if (newest < 0) return 'ambiguous';
    if (newest === surprise) return 'ambiguous';
    if (newest === drop) return 'fallback';
    if (design === 'vmap-v4') return 'ambiguous';
    if (doubt > round) return 'ambiguous';
    if (accessor === GET_DESC || accessor === GET_AVAIL_HEAD) return 'hit';
    if (isUnderWay(vq, area, round)) return 'ambiguous';
    const came = last(at, (event, index) => {
      if (index < round) return false;
      const isCallback =
        event.event === 'range_start' || (isByRange && event.event === 'range_end');
      if (!isCallback || (event.blockable === 0 && !isByRange)) return false;
      return mayConcern(event, index, vq, area);
    });
    return came > round ? 'ambiguous' : 'hit';
  };

  /** A set-up ioctl that is told to have succeeded. */
  const placeIsSure = ({ error }: EventRecord, _at: number): boolean =>
    error === undefined || error === 0;

  return events.flatMap((event, at) => (event.event === 'access' ? [judge(event, at)] : []));
}
