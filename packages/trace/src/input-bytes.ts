/** Bytes of a file or of standard input, decompressed when they are gzip, pushed chunk by chunk. */
import { closeSync, constants, fstatSync, openSync, read, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { InputError, reasonOf } from './file-errors.js';
import { createGzipInflater, type GzipInflater, type ReadAgain } from './gzip-inflater.js';

/** How an input ended. */
export interface InputEnd {
  /** What is wrong with the input's end, when it was cut or damaged. */
  readonly damage: string | undefined;
  readonly interrupted: boolean;
}

export interface InputOptions {
  /** Takes the bytes; they are valid only during the call. */
  readonly onChunk: (bytes: Uint8Array) => void;
  /** Told how far the raw input has been read; `total` is undefined for pipes. */
  readonly onProgress?: ((read: number, total: number | undefined) => void) | undefined;
  /** Asked between two reads; what it returns is waited for before more is read. */
  readonly onPause?: (() => Promise<void> | undefined) | undefined;
  /** Stops reading when aborted; what was read stays good. */
  readonly signal?: AbortSignal | undefined;
}

/** Bytes that are read at once, while those before them are taken. */
const BLOCK_BYTES = 1 << 20;
/** Bytes that are taken at once: they fit the processor's caches. */
const CHUNK_BYTES = 1 << 18;

/** Name of an input for messages. */
export function inputName(path: string): string {
  return path === '-' ? 'standard input' : path;
}

/**
 * Reads an input to its end. `-` is standard input.
 *
 * @throws InputError when it cannot be opened or read
 */
export async function readInput(path: string, options: InputOptions): Promise<InputEnd> {
  if (path === '-') {
    // Node reads nothing from a directory there, and says nothing.
    if (isDirectory(STDIN)) throw new InputError('cannot read standard input: is a directory');
    return readPipe(path, process.stdin, options);
  }
  let fd: number;
  let isPipe: boolean;
  try {
    isPipe = statSync(path).isFIFO();
    // A pipe must not hold up the event loop while its writer is silent.
    fd = openSync(path, isPipe ? constants.O_RDONLY | constants.O_NONBLOCK : constants.O_RDONLY);
  } catch (error) {
    throw cannotRead(path, error);
  }
  if (isPipe) return readPipe(path, new Socket({ fd, writable: false }), options);
  return readFile(path, fd, options);
}

const STDIN = 0;

function isDirectory(fd: number): boolean {
  try {
    return fstatSync(fd).isDirectory();
  } catch {
    return false;
  }
}

function cannotRead(path: string, error: unknown): InputError {
  return new InputError(`cannot read ${inputName(path)}: ${reasonOf(error)}`);
}

async function readFile(path: string, fd: number, options: InputOptions): Promise<InputEnd> {
  const { signal, onPause, onProgress } = options;
  /** Never rejects: nobody may be waiting for it yet. */
  const readBlock = (block: Uint8Array, at: number): Promise<number | InputError> =>
    new Promise((resolve) => {
      // A device has no places.
      read(fd, block, 0, block.length, isFile ? at : null, (error, got) => {
        resolve(error === null ? got : cannotRead(path, error));
      });
    });
  /** Reads from the start to the end, or until `take` resolves to false. */
  const readChunks = async (take: (bytes: Uint8Array) => Promise<boolean>): Promise<void> => {
    let block = new Uint8Array(BLOCK_BYTES);
    let other = new Uint8Array(BLOCK_BYTES);
    let reading = readBlock(block, 0);
    try {
      for (let end = 0; signal?.aborted !== true;) {
        let got = await reading;
        // The file may have grown while what stood before was taken.
        if (got === 0) got = await readBlock(block, end);
        if (got instanceof InputError) throw got;
        if (got === 0) return;
        end += got;
        reading = readBlock(other, end);
        for (let at = 0; at < got; at += CHUNK_BYTES)
          if (!(await take(block.subarray(at, Math.min(at + CHUNK_BYTES, got))))) return;
        [block, other] = [other, block];
        await onPause?.();
      }
    } finally {
      // The file is not closed under a read; what it finds is not wanted any more.
      await reading;
    }
  };
  let isFile = false;
  try {
    const stat = fstatSync(fd);
    isFile = stat.isFile();
    const total = stat.size > 0 ? stat.size : undefined;
    const decoder = createDecoder(options, isFile ? readChunks : undefined);
    let taken = 0;
    await readChunks(async (bytes) => {
      await decoder.push(bytes);
      taken += bytes.length;
      onProgress?.(taken, total);
      return true;
    });
    const end = await decoder.end();
    // As `copytruncate` of logrotate does it. Of a file that grows all is read that is there at its end.
    const left = fstatSync(fd).size;
    if (!isFile || left >= taken || end.interrupted) return end;
    const shortened = `the file was cut to ${left} bytes while it was read`;
    return { ...end, damage: end.damage === undefined ? shortened : `${end.damage}; ${shortened}` };
  } finally {
    closeSync(fd);
  }
}

async function readPipe(
  path: string,
  stream: AsyncIterable<unknown> & { destroy(): unknown },
  options: InputOptions,
): Promise<InputEnd> {
  const { signal } = options;
  const decoder = createDecoder(options);
  let taken = 0;
  const stop = (): void => {
    stream.destroy();
  };
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, { once: true });
  /** What taking the bytes threw, which is no fault of the input's. */
  let thrown: { readonly error: unknown } | undefined;
  try {
    for await (const chunk of stream) {
      if (!(chunk instanceof Uint8Array)) continue;
      taken += chunk.length;
      try {
        await decoder.push(chunk);
        options.onProgress?.(taken, undefined);
        await options.onPause?.();
      } catch (error) {
        thrown = { error };
        break;
      }
    }
  } catch (error) {
    if (signal?.aborted !== true) throw cannotRead(path, error);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  if (thrown !== undefined) throw thrown.error;
  return decoder.end();
}

/** Takes raw bytes and gives on plain ones; finds out from the first bytes whether they are gzip. */
interface Decoder {
  /** Resolves when more may be pushed; the bytes may be used again then. */
  push(bytes: Uint8Array): Promise<void> | void;
  end(): Promise<InputEnd>;
}

const GZIP_MAGIC = [0x1f, 0x8b];

function createDecoder({ onChunk, signal }: InputOptions, readAgain?: ReadAgain): Decoder {
  let head: Uint8Array | undefined = new Uint8Array(0);
  let gzip: GzipInflater | undefined;
  const begin = (bytes: Uint8Array): Promise<void> | void => {
    head = undefined;
    if (bytes[0] === GZIP_MAGIC[0] && bytes[1] === GZIP_MAGIC[1]) {
      gzip = createGzipInflater(onChunk, readAgain);
      return gzip.push(bytes);
    }
    onChunk(bytes);
  };
  return {
    push: (bytes) => {
      if (head === undefined) return gzip === undefined ? onChunk(bytes) : gzip.push(bytes);
      // Not copied, and no Buffer: the hot path is compiled for one kind of array.
      const joined = head.length === 0 ? bytes : Buffer.concat([head, bytes]);
      if (joined.length >= GZIP_MAGIC.length) return begin(joined);
      head = joined.slice();
    },
    end: async () => {
      if (head !== undefined && head.length > 0) await begin(head);
      const interrupted = signal?.aborted === true;
      const damage = gzip === undefined ? undefined : await gzip.end(interrupted);
      return { damage, interrupted };
    },
  };
}
