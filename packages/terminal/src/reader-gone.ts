/** Codes with which a pipe, or a socket in its place, says that nobody reads it any more. */
const GONE: ReadonlySet<unknown> = new Set(['EPIPE', 'ECONNRESET']);

/**
 * Whether a write failed because whoever read has seen enough. All else (a full disk, a device with an error) is
 * something that went wrong. A socket with bytes that were not read is reset when its reader closes it, and only
 * says that it is a broken pipe to the next write.
 */
export function isReaderGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && GONE.has(error.code);
}
