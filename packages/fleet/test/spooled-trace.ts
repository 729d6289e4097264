/** What a spool holds of a run, put together as its reader does. */
import { createRunAssembly } from '../src/assemble-run.js';
import type { SpooledPiece } from '../src/spool-reader.js';
import type { SpooledRun } from '../src/spooled-run.js';

export interface SpooledTrace {
  readonly bytes: Buffer;
  /** What its last piece says; undefined where it is not there. */
  readonly end: string | undefined;
  /** Numbers of the pieces. */
  readonly seqs: readonly number[];
}

/**
 * From the first piece that is not acknowledged.
 *
 * @param onRead is given each piece
 * @throws where pieces are missing or changed
 */
export function spooledTrace(
  run: SpooledRun,
  onRead: (read: SpooledPiece) => void = () => undefined,
): SpooledTrace {
  const assembly = createRunAssembly(run.name);
  const chunks: Uint8Array[] = [];
  const seqs: number[] = [];
  for (let { place } = run.acknowledged; ;) {
    const read = run.read(place);
    if (read === undefined) break;
    place = read.next;
    seqs.push(read.piece.seq);
    chunks.push(...assembly.take(read.piece));
    onRead(read);
  }
  if (assembly.damage !== undefined) throw new Error(assembly.damage);
  return { bytes: Buffer.concat(chunks), end: assembly.last?.kind, seqs };
}
