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
    expect(namedSource(undefined, {}, path)).toEqual({ name: path, kind: 'socket' });
    expect(() => namedSource('a', { socket: 'b' })).toThrow('both a source, a, and --socket b');
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});

test('where no collector listens both ways to record are told, and what else can be named', () => {
  const path = join(tmpdir(), 'no such socket');
  const refusal = (): unknown => {
    try {
      return namedSource(undefined, {}, path);
    } catch (error) {
      return error;
    }
  };
  expect(refusal()).toMatchObject({
    message: `no collector listens on ${path}, and no source is named`,
    advice:
      `record and watch in this terminal (collector attach --tui), ` +
      `or record with a socket that tui finds (collector attach --socket ${path}); ` +
      'or name a trace (tui trace.arrows), a pipe (tui -), a socket (tui --socket PATH) or a server (tui --from nats://host)',
  });
});

test('a server is known by its URL', () => {
  const url = 'nats://hub/prefix/a/b';
  expect(namedSource(url, {})).toEqual({ name: url, kind: 'server' });
  expect(namedSource(undefined, { from: 'TLS://hub' })).toEqual({
    name: 'TLS://hub',
    kind: 'server',
  });
  expect(() => namedSource('trace.arrows', { from: url })).toThrow('both a source');
  expect(() => namedSource(undefined, { from: 'trace.arrows' })).toThrow('is no URL of a server');
});
