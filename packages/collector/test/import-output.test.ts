/** What `collector import` writes, and where. */
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { file, SMALL } from './small-input.ts';
import { collector } from './in-process.ts';
import { inOwnFolders } from './own-folders.ts';
import { contentsOf, example } from './traces.ts';

inOwnFolders();

const mode = (path: string): number => statSync(path).mode & 0o777;

describe('the output', () => {
  it('is named after the first input, in the current folder, and is for its owner only', async () => {
    const { code, out, err } = await collector('import', example('s3'));
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toMatch(
      /^collector: s3-resetup-under-storm\.arrows: 23,465 events in 1 recording from 1\.2 MB, .* written\n$/,
    );
    expect(readdirSync('.')).toEqual(['s3-resetup-under-storm.arrows']);
    expect(mode('s3-resetup-under-storm.arrows')).toBe(0o600);
  });

  it.each([
    ['run.txt', 'run.arrows'],
    ['run.json', 'run.arrows'],
    ['run.log.gz', 'run.arrows'],
    ['run', 'run.arrows'],
    ['run.2026', 'run.2026.arrows'],
    ['.txt', '.arrows'],
  ])('of %s is %s', async (input, output) => {
    file(input, SMALL);
    expect(await collector('import', input)).toMatchObject({ code: 0 });
    expect(readdirSync('.').toSorted()).toEqual([input, output].toSorted());
  });

  it('is not written over when its name was not given, except with --force', async () => {
    file('a.txt', SMALL);
    file('a.arrows', 'precious');
    const refused = await collector('import', 'a.txt');
    expect(refused).toEqual({
      code: 2,
      out: '',
      err: 'collector: a.arrows exists\ncollector: name an output with -o, or write over it with --force\n',
    });
    expect(readFileSync('a.arrows', 'utf8')).toBe('precious');
    expect(await collector('import', '--force', 'a.txt')).toMatchObject({ code: 0 });
    expect((await contentsOf('a.arrows')).recordings).toHaveLength(1);
  });

  it('is written over when its name was given, and is then for its owner only', async () => {
    file('a.txt', SMALL);
    file('b.arrows', 'x'.repeat(100_000));
    chmodSync('b.arrows', 0o644);
    expect(await collector('import', 'a.txt', '-o', 'b.arrows')).toMatchObject({ code: 0 });
    expect(mode('b.arrows')).toBe(0o600);
    expect((await contentsOf('b.arrows')).damage).toEqual([]);
  });

  it('goes where a symbolic link points', async () => {
    file('a.txt', SMALL);
    mkdirSync('far');
    file('far/b.arrows', 'old');
    symlinkSync('far/b.arrows', 'link.arrows');
    expect(await collector('import', 'a.txt', '-o', 'link.arrows')).toMatchObject({ code: 0 });
    expect((await contentsOf('far/b.arrows')).recordings).toHaveLength(1);
    expect(readdirSync('far')).toEqual(['b.arrows']);
  });

  it('may be a device', async () => {
    file('a.txt', SMALL);
    expect(await collector('import', 'a.txt', '-o', '/dev/null')).toMatchObject({ code: 0 });
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it.each([
    ['the same name', 'a.txt', 'a.txt'],
    ['another name of it', 'a.txt', 'hard'],
    ['a link to it', 'a.txt', 'soft'],
    ['a link to it', 'soft', 'a.txt'],
  ])('must not be an input: %s', async (_what, input, output) => {
    file('a.txt', SMALL);
    linkSync('a.txt', 'hard');
    symlinkSync('a.txt', 'soft');
    expect(await collector('import', input, '-o', output)).toEqual({
      code: 2,
      out: '',
      err: `collector: ${output} is an input and the output\ncollector: name another output with -o\n`,
    });
    expect(readFileSync('a.txt', 'latin1')).toBe(SMALL);
  });
});

describe('an output that cannot be written', () => {
  it.each([
    ['a full device', '/dev/full', 'no space left on the device'],
    ['a folder that does not exist', 'nope/a.arrows', 'its folder does not exist'],
    ['a folder', '.', 'is a directory'],
    ['below a file', 'a.txt/b.arrows', 'a part of the path is not a directory'],
    [
      'a folder that cannot be written',
      '/sys/kernel/a.arrows',
      '(permission denied|not permitted|the file system is read-only)',
    ],
  ])('%s', async (_what, output, reason) => {
    file('a.txt', SMALL);
    const { code, out, err } = await collector('import', 'a.txt', '-o', output);
    expect(err).toMatch(new RegExp(`^collector: cannot write ${output}: ${reason}\n$`));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(readdirSync('.')).toEqual(['a.txt']);
  });
});
