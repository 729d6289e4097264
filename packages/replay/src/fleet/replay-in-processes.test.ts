/** Processes that die, linger or go on, by a program that does as it is told. */
import { describe, expect, it } from 'vitest';
import type { FleetRun } from './fleet-run.js';
import { replayInProcesses, type ReplayOptions } from './replay-in-processes.js';
import type { WorkerAnswer } from './worker-messages.js';

const PROGRAM = new URL('../../test/dying-worker.mjs', import.meta.url);

function run(name: string): FleetRun {
  return { host: 'h', run: name, source: { path: name, bytes: 10 } };
}

async function answersTo(
  names: readonly string[],
  options: Partial<ReplayOptions> = {},
): Promise<WorkerAnswer[]> {
  return replayInProcesses(names.map(run), {
    question: {
      designs: [],
      platform: {},
      stormRate: 100,
      basis: { smap: undefined, calibrated: undefined },
    },
    workers: 1,
    program: PROGRAM,
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...options,
  });
}

function processes(answers: readonly WorkerAnswer[]): Set<string> {
  return new Set(
    answers.map((answer) =>
      answer !== 'interrupted' && 'error' in answer ? answer.error : 'no answer',
    ),
  );
}

describe('processes', () => {
  it('are as many as was said, and each answers more than once', async () => {
    const names = Array.from({ length: 12 }, () => 'usual');
    const [one, three] = [await answersTo(names), await answersTo(names, { workers: 3 })];
    expect(processes(one).size).toBe(1);
    expect(processes(three).size).toBe(3);
    for (const who of [...processes(one), ...processes(three)])
      expect(who).toMatch(/^answered by \d+$/);
  });

  it.each([
    ['exit', 'the process that replayed it ended, with code 3'],
    ['kill', 'the process that replayed it was killed; the system may be out of memory'],
  ])('%s: a death is the answer of its run, and the others have theirs', async (how, error) => {
    const answers = await answersTo(['usual', how, 'usual', how, 'usual']);
    const death = { error, isPassing: true };
    expect([answers[1], answers[3]]).toEqual([death, death]);
    for (const at of [0, 2, 4])
      expect(answers[at]).toEqual({ error: expect.stringMatching(/^answered/) });
  });

  it('one that Ctrl-C has met before it could turn it down is no failure of its run', async () => {
    expect(await answersTo(['usual', 'interrupt', 'usual'])).toEqual([
      { error: expect.stringMatching(/^answered/) },
      'interrupted',
      'interrupted',
    ]);
  });

  it('one that dies when it has answered is not asked again', async () => {
    const [first, second] = await answersTo(['last', 'usual']);
    expect(first).toEqual({ error: expect.stringMatching(/^answered/) });
    // It may be asked before its end has come.
    expect(second).toMatchObject({
      error: expect.stringMatching(/^answered|ended, with code 4$/),
    });
  });

  it('end when the user wants it, with what was answered by then', async () => {
    const abort = new AbortController();
    const answers = await answersTo(['usual', 'slow', 'usual'], {
      signal: abort.signal,
      // The first is done, and the second has begun.
      onProgress: (read) => (read === 11 ? abort.abort() : undefined),
    });
    expect(answers[0]).toEqual({ error: expect.stringMatching(/^answered/) });
    expect(answers.slice(1)).toEqual(['interrupted', 'interrupted']);
  });

  it('tell how much was read, and of a run that is done all of it', async () => {
    const told: number[] = [];
    await answersTo(['usual', 'exit', 'usual'], { onProgress: (read) => told.push(read) });
    expect(told.at(-1)).toBe(30);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told).toContain(1);
  });
});
