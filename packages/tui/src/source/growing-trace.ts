/** A trace of which more may come: what stands at its end is looked through as it grows. */
import { completenessOf, type Completeness } from '@vhostscope/replay';
import {
  createTraceIndexer,
  DamagedBatchError,
  TraceFormatError,
  upToDamage,
  type TraceBytes,
} from '@vhostscope/trace';
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
  /** As `endAt` of a source. */
  endAt(damaged: DamagedBatchError): boolean;
  /** Forgets events that lie between what is kept and a place. */
  forget(kept: number, upTo: number): void;
}

export function createGrowingTrace(name: string, bytes: TraceBytes): GrowingTrace {
  const indexer = createTraceIndexer(bytes);
  let trace: SourceTrace | undefined;
  let damage: string | undefined;
  let completeness: Completeness | undefined;
  const isEnded = (): boolean => indexer.index?.closed === true;
  const damageFound = (): string | undefined => damage ?? indexer.index?.damage;

  /** Found out while what the recordings say at their ends can be read: it may not be kept. */
  function judge(): void {
    if (trace === undefined || completeness !== undefined) return;
    try {
      const found = completenessOf({
        name,
        fd: bytes,
        index: trace.index,
        imported: undefined,
        damage: [],
      });
      // What is damaged is told beside it.
      completeness = damageFound() === undefined ? found : { ...found, complete: false };
    } catch (error) {
      if (!(error instanceof TraceFormatError)) throw error;
      if (!(error instanceof DamagedBatchError)) completeness = UNKNOWN;
      else if (!endAt(error)) completeness = DAMAGED;
    }
  }

  function endAt(damaged: DamagedBatchError): boolean {
    if (trace === undefined) return false;
    damage ??= damaged.message;
    completeness = undefined;
    try {
      const { index } = upToDamage({ name, fd: bytes, index: trace.index, damage: [] }, damaged);
      trace = { name, bytes, index };
    } catch (error) {
      // Not all of what came before was kept.
      if (!(error instanceof TraceFormatError)) throw error;
      completeness = DAMAGED;
      return false;
    }
    judge();
    return true;
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
      return damageFound();
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
    endAt,
    forget: (kept, upTo) => indexer.forget(kept, upTo),
  };
}

const DAMAGED: Completeness = { complete: false, lost: {}, damage: [], problems: [] };

const UNKNOWN: Completeness = {
  complete: null,
  lost: {},
  damage: [],
  problems: ['whether it is complete is not known: not all that was said of it was kept (--keep)'],
};
