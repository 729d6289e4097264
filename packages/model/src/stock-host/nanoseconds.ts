/** A time of two words as a number of ns; exact to 104 days, then to a few ns. */
export function nanoseconds(low: number, high: number): number {
  return high * 0x1_0000_0000 + (low >>> 0);
}
