/** Bytes of the longest path that a Unix socket can have (unix(7)): Node cuts a longer one off, and takes that. */
const MOST_BYTES = 107;

/** Why no Unix socket can have this path, in words; undefined where one can. */
export function socketPathFlaw(path: string): string | undefined {
  const bytes = Buffer.byteLength(path);
  if (bytes === 0) return 'it has no name';
  return bytes > MOST_BYTES
    ? `its path has ${bytes} bytes, and a socket's at most ${MOST_BYTES}`
    : undefined;
}
