/** A trace of which more may come: what stands at its end is looked through as it grows. */
import { completenessOf, type Completeness } from '@vhostscope/replay';
import { createTraceIndexer, TraceFormatError, type TraceBytes } from '@vhostscope/trace';
import type { SourceTrace } from './source.js';

export interface GrowingTrace {
  readonly name: string;
  /** Undefined while its header is not there. */
  readonly trace: SourceTrace | undefined;
  /** Its end was found: nothing more comes. */
  readonly isEnded: boolean;
  /** Why it cannot be read on. */
  readonly damage: string | undefined;
  /** Of a trace of which nothing more comes. */
  readonly completeness: Completeness | undefined;
  /** Looks through what it has got. */
  extend(bytes: number): void;
  /** Nothing more comes, whether its end was found or not. */
  end(): void;
  /** Forgets events that lie between what is kept and a place. */
  forget(kept: number, upTo: number): void;
}

export function createGrowingTrace(name: string, bytes: TraceBytes): GrowingTrace {
  const indexer = createTraceIndexer(bytes);
  let trace: SourceTrace | undefined;
  let damage: string | undefined;
  let completeness: Completeness | undefined;
  const isEnded = (): boolean => indexer.index?.closed === true;

  /** Found out while what the recordings say at their ends can be read: it may not be kept. */
  function judge(): void {
    if (trace === undefined || completeness !== undefined) return;
    try {
      completeness = completenessOf({
        name,
        fd: bytes,
        index: trace.index,
        imported: undefined,
        damage: [],
      });
    } catch (error) {
      if (!(error instanceof TraceFormatError)) throw error;
      completeness = UNKNOWN;
    }
  }

  return {
    name,
    get trace() {
      return trace;
    },
    get isEnded() {
      return isEnded();
    },
    get damage() {
      return damage ?? indexer.index?.damage;
    },
    get completeness() {
      return completeness;
    },
    extend: (size) => {
      if (damage !== undefined) return;
      try {
        indexer.extend(size);
      } catch (error) {
        if (!(error instanceof TraceFormatError)) throw error;
        damage = error.message;
      }
      const { index } = indexer;
      if (index !== undefined) trace ??= { name, bytes, index };
      if (isEnded()) judge();
    },
    end: judge,
    forget: (kept, upTo) => indexer.forget(kept, upTo),
  };
}

const UNKNOWN: Completeness = {
  complete: null,
  lost: {},
  damage: [],
  problems: ['whether it is complete is not known: not all that was said of it was kept (--keep)'],
};
