/** The built program as a process: pipes, signals, a terminal. */
import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { importResultSchema } from '../src/import-result-schema.ts';
import { BIN, outcomeOf, shell } from './child-process.ts';
import { contentsOf, countsOfText, example, temporaryFolder, textOf } from './traces.ts';

const top = temporaryFolder();
let made = 0;

function emptyFolder(): string {
  const folder = join(top, String(made++));
  mkdirSync(folder);
  return folder;
}

/** Starts an import of standard input; what follows is written to it bit by bit. */
function start(cwd: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [BIN, 'import', '-', ...args], { cwd });
}

/** Resolves when the program has read all but what fits into a pipe, and a little later. */
async function feed(child: ChildProcess, text: string): Promise<void> {
  await new Promise((resolve) => child.stdin?.write(text, 'latin1', resolve));
  await pause(400);
}

/** Resolves when the program has opened its output. */
async function outputOpened(folder: string): Promise<void> {
  while (readdirSync(folder).length === 0) await pause(20);
  await pause(200);
}

const s3 = `'${example('s3')}'`;

it('runs alone: with Node, and nothing but its package folder', async () => {
  const cwd = emptyFolder();
  const home = join(BIN, '../..');
  for (const part of ['bin', 'dist', 'package.json'])
    cpSync(join(home, part), join(cwd, part), { recursive: true });
  const { code, err } = await shell(`node bin/collector.js import ${s3} -o trace.arrows`, cwd);
  expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('in 1 recording') });
});

describe('pipes', () => {
  it.each([
    ['plain', `zcat ${s3} | $COLLECTOR import -`],
    ['gzip', `cat ${s3} | $COLLECTOR import -`],
    ['a redirected file', `$COLLECTOR import - < ${s3}`],
    ['by the name of a pipe', `zcat ${s3} | $COLLECTOR import /dev/stdin -o trace.arrows`],
    ['a file and standard input', `zcat ${s3} | $COLLECTOR import - -o trace.arrows`],
  ])('%s', async (_what, command) => {
    const cwd = emptyFolder();
    expect(await shell(command, cwd)).toMatchObject({ code: 0, out: '' });
    const { recordings, damage } = await contentsOf(join(cwd, 'trace.arrows'));
    expect({ recordings, damage }).toEqual({
      recordings: [countsOfText(textOf('s3'))],
      damage: [],
    });
  });

  it('into another program', async () => {
    const { code, out } = await shell(
      `zcat ${s3} | $COLLECTOR import - -o /dev/stdout 2>/dev/null | wc -c`,
      emptyFolder(),
    );
    expect(code).toBe(0);
    expect(Number(out)).toBeGreaterThan(500_000);
  });

  it.each([
    ['a pipe', '| cat > a.arrows'],
    ['a file', '> a.arrows'],
  ])('to standard output, which is %s', async (_what, into) => {
    const cwd = emptyFolder();
    const { code, out, err } = await shell(`$COLLECTOR import ${s3} -o - ${into}`, cwd);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toMatch(/^collector: standard output: 23,465 events in 1 recording from /);
    const { recordings, damage } = await contentsOf(join(cwd, 'a.arrows'));
    expect({ recordings, damage }).toEqual({
      recordings: [countsOfText(textOf('s3'))],
      damage: [],
    });
    expect(readdirSync(cwd)).toEqual(['a.arrows']);
  });

  it('standard input that is empty', async () => {
    const cwd = emptyFolder();
    expect(await shell('$COLLECTOR import - < /dev/null', cwd)).toEqual({
      code: 2,
      out: '',
      err: 'collector: standard input is empty\n',
    });
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('a full disk: exit 2, a sentence, and nothing that looks like a trace', async () => {
    const { code, out, err } = await shell(`zcat ${s3} | $COLLECTOR import - -o /dev/full`, top);
    expect({ code, out, err }).toEqual({
      code: 2,
      out: '',
      err: 'collector: cannot write /dev/full: no space left on the device\n',
    });
  });

  it('a full disk while nothing comes in: exit 2, a sentence, and the words about what stays', async () => {
    const cwd = emptyFolder();
    const slowly = `(zcat ${s3} | head -2000; sleep 1.5; zcat ${s3} | tail -n +2001)`;
    const { code, err } = await shell(
      `${slowly} | (ulimit -f 8; trap '' XFSZ; exec $COLLECTOR import - -o new.arrows)`,
      cwd,
    );
    expect(code).toBe(2);
    expect(err).toMatch(/^collector: cannot write new\.arrows: the file would be too large.*\n$/);
    expect(readdirSync(cwd).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('a limit on file sizes: a new output is not left behind, an old one stays', async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, 'old.arrows'), 'precious');
    const limited = `ulimit -f 8; trap '' XFSZ; zcat ${s3} | $COLLECTOR import -`;
    for (const output of ['old.arrows', 'new.arrows']) {
      const { code, err } = await shell(`${limited} -o ${output}`, cwd);
      expect(code).toBe(2);
      expect(err).toMatch(
        /^collector: cannot write (old|new)\.arrows: the file would be too large\n$/,
      );
    }
    expect(readdirSync(cwd)).toEqual(['old.arrows']);
    expect(statSync(join(cwd, 'old.arrows')).size).toBe(8);
  });
});

describe('Ctrl-C', () => {
  const [head, rest] = [textOf('s3').slice(0, 600_000), textOf('s3').slice(600_000)];

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s in the middle of a slow pipe: what had arrived is saved',
    async (signal) => {
      const cwd = emptyFolder();
      const child = start(cwd, '--json');
      const outcome = outcomeOf(child);
      await feed(child, head);
      child.kill(signal);
      const { code, out, err } = await outcome;
      expect(code).toBe(130);
      // The line that was cut by the signal is no loss.
      expect(err).toBe('');
      const whole = head.slice(0, head.lastIndexOf('\n') + 1);
      const counts = countsOfText(whole);
      const events = Object.values(counts).reduce((sum, count) => sum + count, 0);
      expect(importResultSchema.parse(JSON.parse(out))).toMatchObject({
        output: 'trace.arrows',
        interrupted: true,
        events,
      });
      const { recordings, damage } = await contentsOf(join(cwd, 'trace.arrows'));
      expect(damage).toEqual([]);
      expect(recordings).toMatchObject([counts]);
      expect(readdirSync(cwd)).toEqual(['trace.arrows']);
    },
  );

  it.each([0, 1, 3])('a second one %i ms later does not stop the saving', async (apart) => {
    const cwd = emptyFolder();
    const child = start(cwd);
    const outcome = outcomeOf(child);
    await feed(child, head);
    child.kill('SIGINT');
    await pause(apart);
    child.kill('SIGINT');
    expect(await outcome).toMatchObject({ code: 130 });
    expect((await contentsOf(join(cwd, 'trace.arrows'))).damage).toEqual([]);
  });

  it('is said to people', async () => {
    const child = start(emptyFolder());
    const outcome = outcomeOf(child);
    await feed(child, head.slice(0, head.lastIndexOf('\n') + 1));
    child.kill('SIGINT');
    const { code, err } = await outcome;
    expect(code).toBe(130);
    expect(err).toMatch(
      /^collector: interrupted; what had arrived is saved: trace\.arrows: [\d,]+ events in 1 recording/,
    );
  });

  it('before the first event: nothing is left behind', async () => {
    const cwd = emptyFolder();
    const child = start(cwd);
    const outcome = outcomeOf(child);
    await outputOpened(cwd);
    child.kill('SIGINT');
    expect(await outcome).toEqual({
      code: 130,
      out: '',
      err: 'collector: interrupted before the first event; nothing was written\n',
    });
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('a trace that grows stands under its name from its first batch on', async () => {
    const cwd = emptyFolder();
    const child = start(cwd, '-o', 'live.arrows');
    const outcome = outcomeOf(child);
    // More than a batch of one CPU.
    child.stdin?.write(textOf('s3') + rest.repeat(2), 'latin1');
    const live = join(cwd, 'live.arrows');
    for (let waited = 0; !existsSync(live) && waited < 5000; waited += 50) await pause(50);
    const { recordings } = await contentsOf(live);
    expect(recordings[0]?.['access']).toBeGreaterThan(0);
    child.stdin?.end();
    expect(await outcome).toMatchObject({ code: 0 });
    expect((await contentsOf(live)).damage).toEqual([]);
  });
});

it('on a terminal a progress bar comes and goes; in a pipe there is none', async () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'big.txt'), textOf('s3'), 'latin1');
  const slow = `stty cols 80 2> /dev/null; sh -c 'head -c 300000; sleep 1; cat' < big.txt | '${process.execPath}' '${BIN}' import - --json -o a.arrows > out.json`;
  const typescript = await shell(`script -qec ${JSON.stringify(slow)} /dev/null`, cwd);
  expect(typescript.code).toBe(0);
  expect(typescript.out).toContain('\r\u001b[?7limporting standard input ');
  // The last thing that happens to the bar's line is that it is cleared.
  expect(typescript.out.endsWith('\r \u001b[J\r')).toBe(true);
  expect((await shell(slow, cwd)).err).toBe('');
});
