import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type * as FileSystem from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { checkPlace, openNewFile } from './new-file.ts';

/** Calls that bring a file to the disk, in their order. */
const calls = vi.hoisted((): string[] => []);
const disk = vi.hoisted(() => ({ hasLinks: true }));
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof FileSystem>();
  return {
    ...fs,
    fsyncSync: (fd: number): void => {
      calls.push(`fsync ${fd}`);
      fs.fsyncSync(fd);
    },
    renameSync: (from: string, to: string): void => {
      calls.push(`rename to ${to}`);
      fs.renameSync(from, to);
    },
    linkSync: (from: string, to: string): void => {
      if (!disk.hasLinks)
        throw Object.assign(new Error('no links'), { code: 'EPERM', syscall: 'link' });
      fs.linkSync(from, to);
    },
  };
});

const folder = mkdtempSync(join(realpathSync(tmpdir()), 'new file '));
afterAll(() => rmSync(folder, { recursive: true }));

let inside: string;
let count = 0;
beforeEach(() => {
  inside = join(folder, String(count++));
  mkdirSync(inside);
});

it('has no name until it is given one, and then replaces what had it', () => {
  const path = join(inside, 'out');
  writeFileSync(path, 'before', { mode: 0o644 });
  const file = openNewFile(path);
  writeSync(file.fd, 'after');
  expect([file.isNamed, readFileSync(path, 'utf8')]).toEqual([false, 'before']);
  file.giveName();
  file.giveName();
  file.close();
  expect([file.isNamed, readFileSync(path, 'utf8')]).toEqual([true, 'after']);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(inside)).toEqual(['out']);
});

it('is on the disk before it has its name', () => {
  const path = join(inside, 'out');
  const file = openNewFile(path);
  writeSync(file.fd, 'after');
  calls.length = 0;
  file.giveName();
  file.giveName();
  file.close();
  expect(calls).toEqual([`fsync ${file.fd}`, `rename to ${path}`]);
});

it.each([true, false])('takes a name only where it is free (links: %s)', (hasLinks) => {
  disk.hasLinks = hasLinks;
  onTestFinished(() => {
    disk.hasLinks = true;
  });
  const path = join(inside, 'out');
  const file = openNewFile(path);
  writeSync(file.fd, 'mine');
  writeFileSync(path, 'came meanwhile');
  expect([file.giveFreeName(), file.isNamed]).toEqual([false, false]);
  expect(readFileSync(path, 'utf8')).toBe('came meanwhile');
  rmSync(path);
  expect([file.giveFreeName(), file.giveFreeName(), file.isNamed]).toEqual([true, true, true]);
  file.close();
  expect(readFileSync(path, 'utf8')).toBe('mine');
  expect(readdirSync(inside)).toEqual(['out']);
});

it('leaves nothing behind without a name, however often it is closed', () => {
  const path = join(inside, 'out');
  const file = openNewFile(path);
  expect(readdirSync(inside)).toHaveLength(1);
  file.close();
  // The number may be that of another file by now.
  const other = openNewFile(path);
  file.close();
  writeSync(other.fd, 'still open');
  other.close();
  expect(readdirSync(inside)).toEqual([]);
});

it('follows a link to the file that it replaces', () => {
  mkdirSync(join(inside, 'elsewhere'));
  const real = join(inside, 'elsewhere', 'real');
  writeFileSync(real, 'before');
  const link = join(inside, 'link');
  symlinkSync(real, link);
  const file = openNewFile(link);
  writeSync(file.fd, 'after');
  file.giveName();
  file.close();
  expect([readFileSync(real, 'utf8'), realpathSync(link)]).toEqual(['after', real]);
});

it('writes to a device as it stands', () => {
  const file = openNewFile('/dev/null');
  expect([file.isInPlace, file.isNamed]).toEqual([true, true]);
  file.giveName();
  file.close();
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
});

it.each([openNewFile, checkPlace])('says why it cannot be there: %s', (open) => {
  expect(() => open(inside)).toThrow(`cannot write ${inside}: is a directory`);
  const lost = join(inside, 'none', 'out');
  expect(() => open(lost)).toThrow(`cannot write ${lost}: its folder does not exist`);
  writeFileSync(join(inside, 'file'), '');
  expect(() => open(join(inside, 'file', 'out'))).toThrow(/: a part of the path is not a dir/);
  expect(readdirSync(inside)).toEqual(['file']);
});
