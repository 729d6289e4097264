/** The built program where the system says no. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { BIN, shell } from './child-process.ts';
import { contentsOf, temporaryFolder, textOf } from './traces.ts';

const folder = temporaryFolder();
chmodSync(folder, 0o755);
const text = join(folder, 's3.txt');
writeFileSync(text, textOf('s3'), 'latin1');

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
/** root may read and write everything, so the program runs as somebody else then. */
const asNobody = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
const canRun = spawnSync(process.execPath, [BIN, '--version'], asNobody).status === 0;

describe.skipIf(!canRun)('without permission (needs a checkout that all may read)', () => {
  test.each([
    ['to read', ['secret.txt', '-o', '/dev/null'], 'cannot read secret.txt'],
    ['to write a new file', ['s3.txt', '-o', 'closed/a.arrows'], 'cannot write closed/a.arrows'],
    ['to write in this folder', ['../s3.txt'], 'cannot write s3.arrows'],
  ])('%s: a sentence, exit 2, nothing left behind', (_what, args, said) => {
    const closed = join(folder, 'closed');
    mkdirSync(closed, { recursive: true, mode: 0o555 });
    writeFileSync(join(folder, 'secret.txt'), 'M 5 0 1010\n');
    chmodSync(join(folder, 'secret.txt'), 0);
    for (const option of ['--strict', '--json']) {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [BIN, 'import', option, ...args],
        {
          ...asNobody,
          cwd: args[0]?.startsWith('..') ? closed : folder,
          encoding: 'utf8',
        },
      );
      expect({ status, stdout, stderr }).toEqual({
        status: 2,
        stdout: '',
        stderr: `collector: ${said}: permission denied\n`,
      });
    }
    expect(readdirSync(closed)).toEqual([]);
  });
});

/** Mounts a file system of that size; undefined where none can be mounted. */
function disk(name: string, size: string): { readonly path: string; unmount(): void } | undefined {
  const path = join(folder, name);
  mkdirSync(path);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]).status !== 0)
    return undefined;
  return { path, unmount: () => spawnSync('umount', [path]) };
}

it('a disk that is full before the first batch: nothing is left behind', async (context) => {
  const small = disk('small', '16k');
  if (small === undefined) return context.skip('no file system can be mounted here');
  try {
    expect(await shell(`$COLLECTOR import '${text}' -o a.arrows`, small.path)).toEqual({
      code: 2,
      out: '',
      err: 'collector: cannot write a.arrows: no space left on the device\n',
    });
    expect(readdirSync(small.path)).toEqual([]);
  } finally {
    small.unmount();
  }
});

it('a disk that is full later: what was written before can be read', async (context) => {
  const larger = disk('larger', '4m');
  if (larger === undefined) return context.skip('no file system can be mounted here');
  try {
    const { code, out, err } = await shell(
      `cat '${text}' '${text}' '${text}' '${text}' | $COLLECTOR import --json - -o a.arrows`,
      larger.path,
    );
    expect({ code, out, err }).toEqual({
      code: 2,
      out: '',
      err: 'collector: cannot write a.arrows: no space left on the device; what was written before can be read\n',
    });
    const { recordings, damage } = await contentsOf(join(larger.path, 'a.arrows'));
    expect(recordings[0]?.['access']).toBe(13_316);
    expect(damage).toHaveLength(1);
  } finally {
    larger.unmount();
  }
});

it('a reader of the trace that goes away is told', async () => {
  const { err } = await shell(`$COLLECTOR import '${text}' -o /dev/stdout | true`, folder);
  expect(err).toBe('collector: cannot write /dev/stdout: the reader of the pipe is gone\n');
  const dash = await shell(`$COLLECTOR import '${text}' -o - | true`, folder);
  expect(dash.err).toBe(
    'collector: cannot write standard output: the reader of the pipe is gone\n',
  );
});
