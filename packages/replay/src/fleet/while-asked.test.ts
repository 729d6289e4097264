import { findDesign, type EventBatch } from '@vhostscope/model';
import { expect, it } from 'vitest';
import { trace } from '../../test/traces.ts';
import { replayRun } from './replay-run.ts';
import { STRETCH, whileAsked } from './while-asked.ts';

it('looks once a stretch, and visits nothing more where the look does not return', () => {
  let [visited, looks] = [0, 0];
  const visit = whileAsked(
    (_batch, from, to) => (visited += to - from),
    () => {
      if (++looks === 3) throw new Error('nobody');
    },
  );
  const batch = {} as EventBatch;
  expect(() => {
    for (;;) visit(batch, 1, 101);
  }).toThrow('nobody');
  expect(visited).toBeGreaterThan(3 * STRETCH - 400);
  expect(visited).toBeLessThan(3 * STRETCH + 400);
});

it('is asked in both passes over a trace', async () => {
  const { path } = trace('u5');
  const question = {
    designs: [findDesign('merged')!],
    platform: {},
    stormRate: 100,
    basis: { smap: undefined, calibrated: undefined },
  };
  const run = { host: 'h', run: 'r', source: { path, bytes: 1 } };
  const seen: number[] = [];
  const { result } = await replayRun(
    run,
    question,
    () => undefined,
    (visit) => {
      const pass = seen.push(0) - 1;
      return (batch, from, to) => {
        seen[pass] = (seen[pass] ?? 0) + to - from;
        visit(batch, from, to);
      };
    },
  );
  expect(result.status).toBe('replayed');
  expect(seen.length).toBeGreaterThanOrEqual(2);
  expect(new Set(seen).size).toBe(1);
  expect(seen[0]).toBeGreaterThan(1000);
});
