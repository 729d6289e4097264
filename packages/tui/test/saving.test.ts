/** What is saved, and what is not written over. */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { completenessOf } from '@vhostscope/replay';
import { openTrace } from '@vhostscope/trace';
import { expect, test } from 'vitest';
import { createSession } from '../src/session/create-session.ts';
import { openSource, optionsFor, until } from './driven-session.ts';
import { freshPaths, temporaryFolder, TRACES, writeTrace } from './traces.ts';

const folder = temporaryFolder();
const newPath = freshPaths(folder);

test('a file that exists is not written over, and one is written at a time', async () => {
  const session = await openSource({ kind: 'file', path: TRACES.s3 });
  session.settle();
  const path = newPath();
  writeFileSync(path, 'mine');
  session.tell({ do: 'save', path });
  const refused = await until(session, ({ answer }) => answer !== undefined);
  expect(refused.answer).toMatchObject({ isError: true });
  expect(refused.answer?.text).toContain(`${path} exists`);
  expect(readFileSync(path, 'utf8')).toBe('mine');
  const [one, two] = [newPath(), newPath()];
  session.tell({ do: 'save', path: one });
  expect(session.view().saving).toMatchObject({ path: one });
  session.tell({ do: 'save', path: two });
  expect(session.view().answer?.text).toContain('one file at a time');
  const saved = await until(session, ({ saving }) => saving === undefined);
  expect(saved.answer).toMatchObject({ isError: false });
  expect(existsSync(two)).toBe(false);
});

test('a file that comes while one is saved under its name is not written over', async () => {
  const session = await openSource({ kind: 'file', path: TRACES.s3 });
  session.settle();
  const folderOfIt = mkdtempSync(join(folder, 'saved '));
  const path = join(folderOfIt, 'a.arrows');
  session.tell({ do: 'save', path });
  writeFileSync(path, 'mine');
  const refused = await until(session, ({ answer }) => answer !== undefined);
  expect(refused.answer).toMatchObject({ isError: true });
  expect(refused.answer?.text).toContain(`${path} exists`);
  expect(readFileSync(path, 'utf8')).toBe('mine');
  expect(readdirSync(folderOfIt)).toEqual(['a.arrows']);
});

test('who leaves while a file is written gives it up, and nothing of it is left', async () => {
  const session = await createSession(optionsFor({ kind: 'file', path: TRACES.s3 }));
  session.advance(0, 1000);
  const folderOfIt = mkdtempSync(join(folder, 'saved '));
  const path = join(folderOfIt, 'a.arrows');
  session.tell({ do: 'save', path });
  await session.close();
  expect(session.unsaved).toContain(`${path} was not written`);
  expect(readdirSync(folderOfIt)).toEqual([]);
});

/** Of a virtqueue, on two CPUs in turns. */
const ROUNDS = Array.from(
  { length: 4000 },
  (_, at) => `M ${1000 + at} ${at % 2} ffff888100000100\n`,
).join('');

test.each(['grows', 'ends'] as const)(
  'a trace that %s while it is copied is saved as it was, and whole',
  async (how) => {
    const { bytes, ends } = writeTrace(newPath(), ROUNDS, 4);
    const [, second = 0, third = 0] = ends;
    const path = newPath();
    writeFileSync(path, bytes.subarray(0, second));
    const session = await openSource({ kind: 'growing file', path });
    session.pass(10);
    const saved = newPath();
    session.tell({ do: 'save', path: saved });
    expect(session.view().saving).toMatchObject({ path: saved });
    appendFileSync(path, bytes.subarray(second, how === 'ends' ? bytes.length : third));
    session.pass(200);
    expect(session.view().source.state).toBe(how === 'ends' ? 'ended' : 'reading');
    expect(session.view().saving).toMatchObject({ path: saved });
    const { answer } = await until(session, ({ saving }) => saving === undefined);
    expect(answer?.text).toContain('all of it so far');
    const trace = await openTrace(saved);
    try {
      expect(trace.damage).toEqual([]);
      expect(trace.index).toMatchObject({ closed: true, sealed: true, damage: undefined });
      // Its recording has not ended there.
      expect(completenessOf(trace)).toMatchObject({ complete: false, problems: [] });
    } finally {
      trace.close();
    }
    expect(readFileSync(saved).subarray(0, second)).toEqual(Buffer.from(bytes.subarray(0, second)));
  },
);
