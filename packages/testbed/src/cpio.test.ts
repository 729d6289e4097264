import { expect, test } from 'vitest';
import { cpioArchive } from './cpio.js';

/** Reads an archive as the kernel does (Documentation/driver-api/early-userspace/buffer-format). */
function read(archive: Buffer): { name: string; mode: number; content: string }[] {
  const entries = [];
  for (let at = 0; ;) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const field = (n: number): number =>
      Number.parseInt(archive.toString('latin1', at + 6 + 8 * n, at + 14 + 8 * n), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const name = archive.toString('latin1', at + 110, at + 110 + nameSize - 1);
    expect(archive[at + 110 + nameSize - 1]).toBe(0);
    const start = (at + 110 + nameSize + 3) & ~3;
    if (name === 'TRAILER!!!') {
      expect(start).toBe(archive.length);
      return entries;
    }
    entries.push({ name, mode, content: archive.toString('latin1', start, start + size) });
    at = (start + size + 3) & ~3;
  }
}

test('folders, files and programs come out as they went in, whatever their lengths', () => {
  const entries = ['', 'a', 'ab', 'abc', 'abcd'].map((content) => ({
    path: `d/${content}x`,
    content: Buffer.from(content),
    executable: content === 'ab',
  }));
  expect(read(cpioArchive([{ path: 'd' }, ...entries]))).toEqual([
    { name: 'd', mode: 0o040755, content: '' },
    ...entries.map(({ path, content, executable }) => ({
      name: path,
      mode: executable ? 0o100755 : 0o100644,
      content: content.toString(),
    })),
  ]);
});
