import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { findTraces } from './find-traces.js';

const top = mkdtempSync(join(tmpdir(), 'find traces '));
afterAll(() => rmSync(top, { recursive: true }));

let folders = 0;

/** A folder of files with nothing but their names in them. */
function folderOf(...files: readonly string[]): string {
  const folder = join(top, String(folders++));
  mkdirSync(folder);
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), file);
  }
  return folder;
}

function namesOf(...paths: readonly string[]): string[] {
  return findTraces(paths).traces.map(({ run: { host, run } }) => `${host}: ${run}`);
}

it('a file right in the folder is of a host of its own, one further down of that of the first folder', () => {
  const folder = folderOf(
    'web2.arrows',
    'web1.txt.gz',
    'db/monday.log',
    'db/may/1.arrows.gz',
    'a.TXT',
  );
  expect(namesOf(folder)).toEqual([
    'a: a.TXT',
    'db: may/1.arrows.gz',
    'db: monday.log',
    'web1: web1.txt.gz',
    'web2: web2.arrows',
  ]);
});

it('several paths are as if they lay in one folder', () => {
  const folder = folderOf('web/1.arrows', 'web/2.arrows', 'db/1.arrows', 'cache.arrows');
  const inside = ['cache.arrows', 'db', 'web'].map((name) => join(folder, name));
  expect(namesOf(...inside)).toEqual(namesOf(folder));
  expect(namesOf(join(folder, 'web'))).toEqual(['1: 1.arrows', '2: 2.arrows']);
});

it('takes a file that is named whatever its name, and of a folder those that are named as traces', () => {
  const folder = folderOf('README.md', 'a.json', '.hidden.txt', 'b.arrows', 'sub/c.parquet');
  const { traces, passedOver } = findTraces([folder]);
  expect(traces.map(({ run }) => run.run)).toEqual(['b.arrows']);
  expect(passedOver).toEqual(
    ['.hidden.txt', 'README.md', 'a.json', 'sub/c.parquet'].map((name) => join(folder, name)),
  );
  expect(namesOf(join(folder, 'a.json'))).toEqual(['a.json: a.json']);
});

it('takes a file once, by whatever paths and links it is come to', () => {
  const folder = folderOf('web/1.arrows', 'web/2.arrows', 'z.arrows');
  linkSync(join(folder, 'web/1.arrows'), join(folder, 'web/again.arrows'));
  symlinkSync('..', join(folder, 'web/circle'));
  symlinkSync('1.arrows', join(folder, 'web/link.arrows'));
  expect(namesOf(folder)).toEqual(['web: 1.arrows', 'web: 2.arrows', 'z: z.arrows']);
  const { traces, twice } = findTraces([folder, join(folder, 'web/2.arrows'), folder]);
  expect(traces).toHaveLength(3);
  const once = [
    ['web/again.arrows', 'web/1.arrows'],
    ['web/2.arrows', 'web/2.arrows'],
    ['', ''],
    ['web/link.arrows', 'web/1.arrows'],
  ].map(([path = '', takenAs = '']) => ({
    path: join(folder, path),
    takenAs: join(folder, takenAs),
  }));
  expect(twice).toEqual(once);
});

it('calls a file by its own name, though links to it come first', () => {
  const folder = folderOf('web/mon.arrows');
  symlinkSync('mon.arrows', join(folder, 'web/link.arrows'));
  symlinkSync('web', join(folder, 'a'));
  symlinkSync('web/mon.arrows', join(folder, 'b.arrows'));
  expect(namesOf(folder)).toEqual(['web: mon.arrows']);
  expect(namesOf(join(folder, 'b.arrows'), folder)).toEqual([
    expect.stringMatching(/web\/mon\.arrows$/),
  ]);
  expect(namesOf(join(folder, 'b.arrows'))).toEqual(['b: b.arrows']);
});

it('follows a link to another folder', () => {
  const there = folderOf('1.arrows');
  const folder = folderOf('2.arrows');
  symlinkSync(there, join(folder, 'web'));
  expect(namesOf(folder)).toEqual(['2: 2.arrows', 'web: 1.arrows']);
});

it('says of a trace that is gone that it cannot be read', () => {
  const folder = folderOf('1.arrows');
  symlinkSync('nowhere', join(folder, '2.arrows'));
  symlinkSync('nowhere', join(folder, 'other'));
  const { traces, passedOver } = findTraces([folder]);
  expect(traces.map(({ run, reason }) => [run.run, reason])).toEqual([
    ['1.arrows', undefined],
    ['2.arrows', 'no such file'],
  ]);
  expect(passedOver).toEqual([join(folder, 'other')]);
});

it('does not wait for what writes into a pipe of a folder', () => {
  const folder = folderOf('1.arrows');
  execFileSync('mkfifo', [join(folder, 'pipe.arrows')]);
  expect(findTraces([folder]).passedOver).toEqual([join(folder, 'pipe.arrows')]);
});

it('gives two runs two names, also where they are shown alike', () => {
  const folder = folderOf('a/web/1.arrows', 'b/web/1.arrows', 'c/\u0001/x.txt', 'c/\\x01/x.txt');
  const paths = ['a/web', 'b/web'].map((name) => join(folder, name));
  expect(namesOf(...paths)).toEqual(paths.map((path) => `web: ${join(path, '1.arrows')}`));
  const shown = findTraces(['c/\u0001', 'c/\\x01'].map((name) => join(folder, name))).traces;
  expect(shown.map(({ run }) => run.run)).toEqual(
    ['c/\u0001/x.txt', 'c/\\x01/x.txt']
      .map((name) => join(folder, name))
      .map((path, at) => (at === 0 ? path : `${path} (2)`)),
  );
});

it.each([
  ['-', /- is standard input/],
  [join(top, 'not there'), /cannot read .*not there: no such file/],
])('%s is no path for it', (path, message) => {
  expect(() => findTraces([path])).toThrow(message);
});

it('says where there is no trace', () => {
  const folder = folderOf('README.md', 'sub/x.json');
  expect(() => findTraces([folder])).toThrow(`there is no trace in ${folder}`);
});
