/** Puts the pieces of a run together again, as they come from a server: twice, late, or not at all. */
import { firstLink, follows, isSameLink, WINDOW, type Piece } from './piece.js';
import type { RunName } from './fleet-url.js';

export interface RunAssembly {
  /** The next piece that is wanted: all before it were handed on. */
  readonly next: number;
  /** Bytes of the file that were handed on. */
  readonly bytes: number;
  /** Pieces that came once more, and were the same. */
  readonly repeated: number;
  /** Which pieces have not come, in words, while those behind them wait; undefined when none do. */
  readonly lacks: string | undefined;
  /** The last piece has come, and some before it have not. */
  readonly isEndWaiting: boolean;
  /** The last piece, when all are there. */
  readonly last: Piece | undefined;
  /** What is wrong with the run, in words; nothing is handed on any more once it is, but for changed repeats. */
  readonly damage: string | undefined;
  /**
   * Takes a piece.
   *
   * @returns the bytes of the file that follow those handed on before, in order
   */
  take(piece: Piece): Uint8Array[];
  /** No more pieces come: what is missing is damage. */
  end(): void;
}

/**
 * Pieces that came before one that is missing wait for it, where it is not so many before them. Its sender would not
 * have sent these if it had not been acknowledged; it is not on the server any more then, or never was.
 */
const MOST_AHEAD = 4 * WINDOW;

export function createRunAssembly(name: RunName): RunAssembly {
  const links: Uint8Array[] = [];
  const waiting = new Map<number, Piece>();
  let link = firstLink(name);
  let bytes = 0;
  let repeated = 0;
  let last: Piece | undefined;
  let damage: string | undefined;
  let isStopped = false;

  const stop = (why: string): void => {
    damage ??= why;
    isStopped = true;
    waiting.clear();
  };

  /** Hands on a piece that is the next. */
  function accept(piece: Piece): void {
    if (piece.offset !== bytes)
      return stop(
        `piece ${piece.seq} says that it stands at byte ${piece.offset} of the trace, and ${bytes} came before it`,
      );
    if (!follows(link, piece))
      return stop(`piece ${piece.seq} does not follow from those before it: it was changed`);
    link = piece.link;
    links.push(link);
    bytes += piece.bytes.length;
    if (piece.kind !== 'data') last = piece;
  }

  function repeat(piece: Piece): void {
    if (isSameLink(links[piece.seq], piece.link)) repeated++;
    else
      damage ??= `piece ${piece.seq} came twice and differs; the one that the next follows from was taken`;
  }

  return {
    get next() {
      return links.length;
    },
    get bytes() {
      return bytes;
    },
    get repeated() {
      return repeated;
    },
    get lacks() {
      return waiting.size === 0 ? undefined : `${lacking(links.length, waiting)} not on the server`;
    },
    get isEndWaiting() {
      return [...waiting.values()].some(({ kind }) => kind !== 'data');
    },
    get last() {
      return last;
    },
    get damage() {
      return damage;
    },
    take: (piece) => {
      if (isStopped) return [];
      if (piece.seq < links.length) {
        repeat(piece);
        return [];
      }
      if (last !== undefined) {
        damage ??= `piece ${piece.seq} stands behind the last, ${last.seq}, and was left out`;
        return [];
      }
      if (piece.seq > links.length) {
        const other = waiting.get(piece.seq);
        if (other !== undefined) {
          if (isSameLink(other.link, piece.link)) repeated++;
          else damage ??= `piece ${piece.seq} came twice and differs`;
          return [];
        }
        waiting.set(piece.seq, piece);
        if (piece.seq - links.length >= MOST_AHEAD) stop(missing(links.length, waiting));
        return [];
      }
      const handed: Uint8Array[] = [];
      for (let now: Piece | undefined = piece; now !== undefined;) {
        accept(now);
        if (isStopped) break;
        if (now.bytes.length > 0) handed.push(now.bytes);
        now = waiting.get(links.length);
        if (now === undefined) break;
        waiting.delete(now.seq);
      }
      return handed;
    },
    end: () => {
      if (!isStopped && waiting.size > 0) stop(missing(links.length, waiting));
    },
  };
}

function missing(next: number, waiting: ReadonlyMap<number, Piece>): string {
  return `${lacking(next, waiting)} missing on the server, and what follows was left out`;
}

/** Which pieces before those that wait have not come, and "is" or "are". */
function lacking(next: number, waiting: ReadonlyMap<number, Piece>): string {
  let first = Number.POSITIVE_INFINITY;
  for (const seq of waiting.keys()) first = Math.min(first, seq);
  return first - next === 1 ? `piece ${next} is` : `pieces ${next} to ${first - 1} are`;
}
