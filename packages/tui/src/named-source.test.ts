import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { namedSource } from './named-source.js';

test('what is named is a file, a pipe or a socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'named source '));
  const path = join(folder, 'socket');
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  try {
    expect(namedSource('a.arrows', {})).toEqual({ name: 'a.arrows', kind: 'file' });
    expect(namedSource('a.arrows', { follow: true })).toEqual({
      name: 'a.arrows',
      kind: 'growing file',
    });
    expect(namedSource('-', {})).toEqual({ name: '-', kind: 'stdin' });
    expect(namedSource(path, {})).toEqual({ name: path, kind: 'socket' });
    expect(namedSource(undefined, { socket: '/run/none' })).toEqual({
      name: '/run/none',
      kind: 'socket',
    });
    expect(() => namedSource('a', { socket: 'b' })).toThrow('both a source, a, and --socket b');
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});
