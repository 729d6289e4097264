/** A run as a server gives it out that is not one. */
import type { RunReading, RunReadResult } from '@vhostscope/fleet';

export type RunEnd = Pick<RunReadResult, 'end' | 'damage'>;

/**
 * @param give its bytes, and how it ended; nothing where it was not read so far
 * @param lacks pieces that the server does not have, while those behind them wait
 */
export function pretendedReading(
  give: () => AsyncGenerator<Uint8Array, RunEnd | undefined>,
  lacks?: string,
): RunReading {
  let result: RunReadResult = {
    bytes: 0,
    pieces: 0,
    repeated: 0,
    end: undefined,
    damage: undefined,
  };
  return {
    lacks,
    get result() {
      return result;
    },
    async *[Symbol.asyncIterator]() {
      const end = yield* give();
      if (end !== undefined) result = { ...result, ...end };
    },
  };
}
