/** Cuts what is appended to a trace into pieces. */

/** Whole messages of a trace, as its writer hands them on. */
export interface Appended {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
}

export interface Cut {
  /** The memory of the appended; nothing is copied. */
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  /** How many of the appended, from the first, are whole with this piece; undefined in the middle of one. */
  readonly whole: number | undefined;
}

/**
 * Pieces of at most `max` bytes, cut between two appended ones; only what is larger than that is continued in the
 * next piece. Nothing appended has no bytes.
 */
export function cutPieces(appended: readonly Appended[], max: number): Cut[] {
  const cuts: Cut[] = [];
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const cut = (whole: number | undefined): void => {
    if (bytes > 0) cuts.push({ parts, bytes, whole });
    parts = [];
    bytes = 0;
  };
  for (const [at, one] of appended.entries()) {
    if (bytes + one.bytes > max) cut(at);
    if (one.bytes <= max) {
      parts.push(...one.parts);
      bytes += one.bytes;
      continue;
    }
    for (const part of one.parts) {
      for (let from = 0; from < part.length;) {
        if (bytes === max) cut(undefined);
        const taken = part.subarray(from, from + max - bytes);
        parts.push(taken);
        bytes += taken.length;
        from += taken.length;
      }
    }
    cut(at + 1);
  }
  cut(appended.length);
  return cuts;
}
