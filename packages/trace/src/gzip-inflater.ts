/** Inflates gzip as it arrives, and saves from a damaged stream what stands before the damage. */
import { createGunzip } from 'node:zlib';

export interface GzipInflater {
  /** Resolves when more may be pushed; the bytes may be used again then. */
  push(bytes: Uint8Array): Promise<void>;
  /** Resolves to what is wrong with the gzip stream, with its place, if anything. */
  end(interrupted: boolean): Promise<string | undefined>;
}

/** Hands over the raw input once more, from its first byte on, until `take` resolves to false. */
export type ReadAgain = (take: (bytes: Uint8Array) => Promise<boolean>) => Promise<void>;

/** Raw bytes between which damage was found: counted from 0, the second not included. */
interface DamagedPiece {
  readonly from: number;
  readonly to: number;
  /** In zlib's words. */
  readonly reason: string;
}

/** zlib drops what it has inflated into a buffer when it finds damage, and does not say how much. */
const INFLATED_BYTES = 1 << 14;
/** The raw bytes that are read again one by one after damage. */
const PIECE_BYTES = 1 << 14;

/**
 * @param onChunk takes the inflated bytes; they are valid only during the call
 * @param readAgain absent where the input cannot be read twice: up to 16 KiB of text before the damage
 *   are lost then
 */
export function createGzipInflater(
  onChunk: (bytes: Uint8Array) => void,
  readAgain?: ReadAgain,
): GzipInflater {
  let inflated = 0;
  let raw = 0;
  /** Where something follows the end of the stream that is neither gzip nor padding. */
  let trailing: number | undefined;
  let damaged: DamagedPiece | undefined;
  const pass = createPass((bytes) => {
    inflated += bytes.length;
    onChunk(bytes);
  });

  /** Inflates the input again, and takes the last steps byte by byte, so that nothing is dropped. */
  async function salvage(piece: DamagedPiece, again: ReadAgain): Promise<DamagedPiece> {
    let skip = inflated;
    let at = 0;
    const second = createPass((bytes) => {
      const known = Math.min(skip, bytes.length);
      skip -= known;
      if (known < bytes.length) onChunk(bytes.subarray(known));
    });
    await again(async (bytes) => {
      for (let start = 0; start < bytes.length && second.error() === undefined;) {
        // Up to the piece at once, and within it in single bytes.
        const step = at < piece.from ? Math.min(bytes.length - start, piece.from - at) : 1;
        await second.write(bytes.subarray(start, start + step));
        start += step;
        at += step;
      }
      return second.error() === undefined && at < piece.to;
    });
    second.stop();
    // Nothing is found again in a file that has changed meanwhile.
    return second.error() === undefined ? piece : { ...piece, from: at - 1, to: at };
  }

  return {
    push: async (bytes) => {
      for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
        if (damaged !== undefined) return;
        const piece = bytes.subarray(start, start + PIECE_BYTES);
        if (pass.ended()) {
          // Blocks of a tape are filled up with zeros.
          const other = piece.findIndex((byte) => byte !== 0);
          if (other >= 0) trailing ??= raw + other;
        } else {
          await pass.write(piece);
          const reason = pass.error();
          if (reason !== undefined) damaged = { from: raw, to: raw + piece.length, reason };
        }
        raw += piece.length;
      }
    },
    end: async (interrupted) => {
      if (interrupted) {
        pass.stop();
        return undefined;
      }
      if (damaged !== undefined)
        return inWords(readAgain === undefined ? damaged : await salvage(damaged, readAgain));
      await pass.end();
      if (pass.error() !== undefined) return `the gzip stream is cut off at byte ${raw}`;
      return trailing === undefined ? undefined : trailingBytes(trailing);
    },
  };
}

function trailingBytes(at: number): string {
  return `from byte ${at} on there is something after the end of the gzip stream, which was left out`;
}

function inWords({ from, to, reason }: DamagedPiece): string {
  // Only a second reading, byte by byte, finds the byte.
  const exact = to - from === 1;
  const where = exact ? `at byte ${from}` : `between bytes ${from} and ${to}`;
  const lost = exact
    ? ''
    : '; up to 16 KiB before that are lost too, as this input cannot be read twice: give the file by its name';
  // zlib expects another member after the first, and needs two bytes to see that it is none.
  if (reason === 'incorrect header check')
    return exact
      ? trailingBytes(Math.max(0, from - 1))
      : `the gzip stream ends ${where}, and what follows was left out${lost}`;
  if (reason === 'incorrect data check' || reason === 'incorrect length check')
    return `the checksum ${where} of the gzip stream is wrong: what was read may be wrong too${lost}`;
  return `the gzip stream is damaged ${where} (${reason}): what follows was left out, and what stands just before may be wrong${lost}`;
}

/** One reading of the stream. */
interface Pass {
  /** Resolves when zlib has read the bytes, or the stream is over. */
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
  stop(): void;
  /** Whether the end of the stream was found. */
  ended(): boolean;
  error(): string | undefined;
}

/**
 * Data events and not async iteration: what was inflated before an error must not be dropped.
 * What `onData` throws is thrown by `write` and `end`.
 */
function createPass(onData: (bytes: Uint8Array) => void): Pass {
  const stream = createGunzip({ chunkSize: INFLATED_BYTES });
  let error: string | undefined;
  let thrown: { readonly error: unknown } | undefined;
  let ended = false;
  let over = false;
  /** Lets go on whoever waits for the stream, when it is over before it has taken all. */
  let proceed = (): void => undefined;
  const finish = (): void => {
    over = true;
    proceed();
  };
  stream.on('data', (bytes: Uint8Array) => {
    try {
      if (thrown === undefined) onData(bytes);
    } catch (problem) {
      thrown = { error: problem };
      stream.destroy();
    }
  });
  stream.once('end', () => {
    ended = true;
    finish();
  });
  stream.once('close', finish);
  stream.once('error', ({ message }) => {
    error = message;
  });
  const waitFor = async (begin: (done: () => void) => void): Promise<void> => {
    if (!over) {
      await new Promise<void>((resolve) => {
        proceed = resolve;
        begin(resolve);
      });
    }
    if (thrown !== undefined) throw thrown.error;
  };
  return {
    write: async (bytes) => waitFor((done) => stream.write(bytes, () => done())),
    end: async () => waitFor(() => stream.end()),
    stop: () => stream.destroy(),
    ended: () => ended,
    error: () => error,
  };
}
