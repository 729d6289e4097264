/** Packet rates in words, in millions a second: what was measured as it was given, what follows with two digits. */

/** "5.2", "5.0", "5.25". */
export function measuredRate(rate: number): string {
  return Number.isInteger(rate) ? rate.toFixed(1) : String(rate);
}

/** A span where the two differ. */
export function computedRate([least, most]: readonly [number, number]): string {
  const [low, high] = [least.toFixed(2), most.toFixed(2)];
  return low === high ? low : `${low} … ${high}`;
}

/** What a rate has gained over that with every access copied: "+23 %", "-1.2 … +0.5 %", "0 %". */
export function gainText([least, most]: readonly [number, number], copied: number): string {
  const [low, high] = [signedPoints(least / copied - 1), signedPoints(most / copied - 1)];
  return low === high ? `${low} %` : `${low} … ${high} %`;
}

function signedPoints(share: number): string {
  const points = 100 * Math.abs(share);
  if (points === 0) return '0';
  return (share < 0 ? '-' : '+') + points.toFixed(points < 9.95 ? 1 : 0);
}

/** With one access a packet fewer, and with one more; a packet of one access has none fewer. */
export function rateAround(
  fewer: readonly [number, number] | null,
  more: readonly [number, number],
): string {
  const all = [...(fewer ?? []), ...more];
  return computedRate([Math.min(...all), Math.max(...all)]);
}

/** What is lost, by each of the rates that there are. */
export function lostRates(
  rates: readonly {
    readonly smap: 'on' | 'off' | null;
    readonly lost: readonly [number, number];
  }[],
): string {
  const of = (smap: 'on' | 'off' | null): string => (smap === null ? '' : ` with SMAP ${smap}`);
  return rates.map(({ smap, lost }) => `${computedRate(lost)}${of(smap)}`).join(', ');
}

/** What the rate with one access fewer or more is for. */
export const PLUS_MINUS_ONE =
  '±1 access a packet: the rate if the time that maps save a packet were spread over one access fewer, or one more, ' +
  'than this trace has: how far the model can be trusted';
