/** Archives in the format that the kernel unpacks as its first root folder ("newc"). Pure. */

export interface ArchiveEntry {
  /** Without a leading slash. */
  readonly path: string;
  /** The content of a file; a folder has none. */
  readonly content?: Uint8Array;
  readonly executable?: boolean;
}

const FOLDER = 0o040755;
const FILE = 0o100644;
const PROGRAM = 0o100755;

/** Puts entries into an archive, in the given order: a folder before what lies in it. */
export function cpioArchive(entries: readonly ArchiveEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  let inode = 0;
  for (const { path, content, executable } of [
    ...entries,
    { path: 'TRAILER!!!' } as ArchiveEntry,
  ]) {
    inode += 1;
    const mode = content === undefined ? FOLDER : executable === true ? PROGRAM : FILE;
    const name = Buffer.from(`${path}\0`);
    const size = content?.length ?? 0;
    // Magic, inode, mode, uid, gid, links, mtime, size, four device numbers, length of name, check.
    const fields = [inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name.length, 0];
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
    parts.push(...padded(Buffer.concat([Buffer.from(head), name])));
    if (content !== undefined) parts.push(...padded(content));
  }
  return Buffer.concat(parts);
}

function padded(bytes: Uint8Array): Uint8Array[] {
  return [bytes, new Uint8Array((4 - (bytes.length % 4)) % 4)];
}
