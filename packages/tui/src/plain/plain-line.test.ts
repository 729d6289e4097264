import { expect, test } from 'vitest';
import { z } from 'zod';
import { dashboardView, judgement, storm, virtqueue } from '../../test/made-up-views.js';
import { plainLine } from './plain-line.js';
import { statusOf, statusSchema } from './status.js';

test('a line tells where it is, how many hit, what comes, and what is wrong', () => {
  expect(plainLine(dashboardView())).toBe(
    '12.345 s  merged 99.00 % now, 99.99 % in all  2 virtqueues  rounds 240/s  accesses 91.2k/s  invalidations 6/s\n',
  );
  const view = dashboardView({
    beside: 'copy',
    besideTotal: judgement(),
    storms: [storm(3, { isOver: false, causes: [['a\nb', 1]] }), storm(2)],
    source: {
      name: 'x',
      kind: 'socket',
      state: 'gone',
      problems: ['lost\n1', 'more'],
      isEmpty: false,
      isStuck: false,
    },
  });
  const line = plainLine(view);
  expect(line).toContain('  copy 99.00 % now, 99.99 % in all  ');
  expect(line).toMatch(/ {2}storm 3 of a\\x0ab {2}the recording broke off {2}! lost\\x0a1\n$/);
});

test('a design that pins pages is marked', () => {
  const beside = { beside: 'copy', besideTotal: judgement() };
  expect(plainLine(dashboardView({ design: 'vmap-v1', ...beside }))).toMatch(
    /vmap-v1 \(pins\) 99.*copy 99/,
  );
});

test('a line that is behind what has come says so', () => {
  const { clock } = dashboardView();
  const line = (behind: number): string =>
    plainLine(dashboardView({ clock: { ...clock, behind } }));
  expect(line(2.5e9)).toMatch(/ {2}2\.50 s behind what has come\n$/);
  expect(line(0.9e9)).not.toContain('behind');
});

test('the numbers for programs are as the schema says', () => {
  const view = dashboardView({
    beside: 'copy',
    besideTotal: judgement(),
    virtqueues: [virtqueue(0), virtqueue(1, { beside: judgement(), dev: undefined })],
    storms: [storm(3, { isOver: false }), storm(2)],
  });
  const status = statusOf(view);
  expect(z.strictObject(statusSchema.shape).parse(status)).toEqual(status);
  expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  expect(status).toMatchObject({
    at: 12.345e9,
    boottime: '1012345000000',
    beside: 'copy',
    storms_so_far: 3,
    storms: [{ number: 3 }],
    virtqueues: [
      { id: 0, dev: 0, beside: null },
      { id: 1, dev: null },
    ],
  });
});
