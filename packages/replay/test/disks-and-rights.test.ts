/** The built program where the system says no, and on inputs as large as memory. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { runResultSchema } from '../src/run-result.ts';
import { BIN, shell } from './child-process.ts';
import { temporaryFolder, textOf, trace, writeTrace } from './traces.ts';

const folder = temporaryFolder();
chmodSync(folder, 0o755);
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** root may read everything, so the program runs as somebody else then. */
const asNobody = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
const canRun = spawnSync(process.execPath, [BIN, '--version'], asNobody).status === 0;

describe.skipIf(!canRun)('without permission (needs a checkout that all may read)', () => {
  test.each([
    ['a file', 'secret.txt'],
    ['a folder above it', 'locked/trace.txt'],
  ])('%s: a sentence, exit 2', (_what, name) => {
    mkdirSync(join(folder, 'locked'), { recursive: true });
    writeFileSync(join(folder, name), 'M 5 0 1010\n');
    chmodSync(join(folder, name.startsWith('locked') ? 'locked' : name), 0);
    for (const args of [['run'], ['verify'], ['info', '--json'], ['explain', '--access', '1']]) {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [BIN, ...args, join(folder, name)],
        { ...asNobody, encoding: 'utf8' },
      );
      expect({ status, stdout, stderr }).toEqual({
        status: 2,
        stdout: '',
        stderr: `replay: cannot read ${join(folder, name)}: permission denied\n`,
      });
    }
    chmodSync(join(folder, 'locked'), 0o755);
  });
});

/** A file system of 64 KiB; undefined where none can be mounted. */
function smallDisk(): { readonly path: string; unmount(): void } | undefined {
  const path = join(folder, 'disk');
  mkdirSync(path);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path]).status !== 0)
    return undefined;
  return { path, unmount: () => spawnSync('umount', [path]) };
}

it('a full disk under the temporary file, and under the answer', async (context) => {
  const disk = smallDisk();
  if (disk === undefined) return context.skip('no file system can be mounted here');
  try {
    const s3 = `'${trace('s3').path}'`;
    const spooling = await shell(`TMPDIR='${disk.path}' $REPLAY run ${s3}`);
    expect(spooling).toEqual({
      code: 2,
      out: '',
      err: `replay: cannot write a temporary file in ${disk.path} (TMPDIR names another folder): no space left on the device\n`,
    });
    const full = `head -c 100000 /dev/zero > '${disk.path}/fill' 2> /dev/null`;
    for (const options of ['', '--json']) {
      const { code, err } = await shell(
        `${full}; $REPLAY run ${options} ${s3} > '${disk.path}/out'`,
      );
      expect({ code, err }).toEqual({
        code: 2,
        err: 'replay: cannot write to standard output: no space left on device\n',
      });
    }
  } finally {
    disk.unmount();
  }
});

const MEGABYTES_AT_MOST = 200;

/** Runs the program with a hook that tells its peak memory in kB on stderr when it ends. */
async function measured(command: string): Promise<{ out: string; err: string; megabytes: number }> {
  const hook = join(folder, 'peak.cjs');
  writeFileSync(
    hook,
    `process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS + '\\n'));`,
  );
  const { out, err } = await shell(
    `NODE_OPTIONS='--require "${hook}"' ; export NODE_OPTIONS; ${command}`,
  );
  const peak = Number(/^peak (\d+)$/m.exec(err)?.[1]);
  return { out, err: err.replace(/^peak .*\n/m, ''), megabytes: peak / 1000 };
}

it('a line of 1 GB is skipped, in little memory', async () => {
  const text = join(folder, 's3.txt');
  writeFileSync(text, textOf('s3'), 'latin1');
  const { out, err, megabytes } = await measured(
    `{ head -n 100 '${text}'; head -c 1000000000 /dev/zero | tr '\\0' x; echo; tail -n +101 '${text}'; } | $REPLAY run --json -`,
  );
  expect(err).toMatch(
    /^replay: standard input: 1 line could not be read, the first is line 101 .*overlong\n$/,
  );
  expect(runResultSchema.parse(JSON.parse(out)).totals.accesses).toBe(13_316);
  expect(megabytes).toBeLessThan(MEGABYTES_AT_MOST);
});

it('a file of 4 GB is not read into memory', async () => {
  const path = join(folder, 'sparse.arrows');
  writeTrace(path, [textOf('s3')]);
  truncateSync(path, 4 * 2 ** 30);
  const { out, err, megabytes } = await measured(`$REPLAY run --json '${path}'`);
  expect(err).toMatch(/\d{10} bytes after the trace's end, from byte \d+, were left out/);
  expect(runResultSchema.parse(JSON.parse(out)).totals.accesses).toBe(13_316);
  expect(megabytes).toBeLessThan(MEGABYTES_AT_MOST);
});

it('nothing of a hostile name reaches the terminal raw', async () => {
  const name = 'ev\nil\u001b[31m\u202e\u200b\u009b.txt';
  writeFileSync(join(folder, name), textOf('u5'), 'latin1');
  const inFolder = `cd '${folder}' && $REPLAY`;
  const commands = [
    ...['run', 'verify', 'info', 'explain --access 3'].flatMap((command) =>
      ['', '--json', '--strict'].map((option) => `${command} ${option}`),
    ),
    'run --design',
    'run --order=',
    '',
    '--',
  ];
  for (const command of commands) {
    for (const prefix of ['', 'missing']) {
      const word = `"${prefix}${name}"`;
      const { out, err } = await shell(
        `${inFolder} ${command}${command.endsWith('=') ? '' : ' '}${word}`,
      );
      expect(out + err).not.toMatch(/[^\P{C}\n]/u);
      // The line break of the name forges no line.
      expect(out + err).not.toMatch(/^il/m);
      expect(out + err).not.toBe('');
    }
  }
});
