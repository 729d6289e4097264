/** A run as a server gives it out that is not one. */
import type { RunReading, RunReadResult } from '@vhostscope/fleet';

export type RunEnd = Pick<RunReadResult, 'end' | 'damage'>;

/**
 * @param give its bytes, and how it ended; nothing where it was not read so far
 */
export function pretendedReading(
  give: () => AsyncGenerator<Uint8Array, RunEnd | undefined>,
): RunReading {
  let result: RunReadResult = {
    bytes: 0,
    pieces: 0,
    repeated: 0,
    end: undefined,
    damage: undefined,
  };
  return {
    get result() {
      return result;
    },
    async *[Symbol.asyncIterator]() {
      const end = yield* give();
      if (end !== undefined) result = { ...result, ...end };
    },
  };
}
