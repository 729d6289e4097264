/** The last two moments at which something happened, ns since the first event; -1 while it did not. */
export type LastMoments = readonly [last: number, before: number];

export const NEVER: LastMoments = [-1, -1];

/** It happens again; at a moment that may be the same. */
export function moved([last, before]: LastMoments, moment: number): LastMoments {
  return moment === last ? [last, before] : [moment, last];
}
