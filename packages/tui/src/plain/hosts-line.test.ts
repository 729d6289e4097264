import { expect, test } from 'vitest';
import { z } from 'zod';
import { hostsView, hostView } from '../../test/made-up-hosts.js';
import { hostsLine } from './hosts-line.js';
import { hostsStatusOf, hostsStatusSchema } from './hosts-status.js';

test('a line tells of each host how it stands, the worst first', () => {
  const view = hostsView({
    hosts: [...hostsView().hosts.slice(0, 2), hostView('w', { state: 'waiting' })],
    leftOut: ['x'],
    problems: ['cut\n'],
  });
  expect(hostsLine(view)).toBe(
    '3 hosts  merged' +
      '  | web1 45.87…54.12 % now, 99.99 % in all  rounds 240/s  accesses 91.2k/s  invalidations 6/s' +
      '  1 storm under way of 3  complete: no  312 ms behind  ! web1/1: 12 events are missing' +
      '  | web2 99.00 % now, 99.99 % in all  rounds 240/s  accesses 91.2k/s  invalidations 6/s' +
      '  0 storms  complete: not known yet  312 ms behind' +
      '  | w waits until others are read  | 1 host left out, as 32 are followed at most  ! cut\\x0a\n',
  );
});

test('a design that pins pages is marked', () => {
  expect(hostsLine(hostsView({ design: 'vmap-v1' }))).toContain('  vmap-v1 (pins)  ');
});

test('names are escaped', () => {
  const hosts = [hostView('a\u001b[2J'), hostView('b\n', { state: 'waiting' })];
  expect(hostsLine(hostsView({ hosts }))).toMatch(/^[ -~…]*\n$/);
});

test('the numbers for programs are as the schema says', () => {
  const status = hostsStatusOf(
    hostsView({
      leftOut: ['x'],
      hosts: [
        ...hostsView().hosts,
        hostView('new', {
          rates: { rounds: Number.NaN, accesses: Number.NaN, overlapping: Number.NaN },
          boottime: undefined,
        }),
      ],
    }),
  );
  expect(z.strictObject(hostsStatusSchema.shape).parse(status)).toEqual(status);
  expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  expect(status).toMatchObject({
    left_out: ['x'],
    hosts: [
      {
        host: 'web1',
        storms_under_way: 1,
        boottime: '1012345000000',
        clock: { offset: '2', uncertainty: '411001' },
      },
      {},
      { state: 'reading', share: 0.426 },
      { state: 'finished', clock: null },
      { rates: { rounds: null }, boottime: null },
    ],
  });
});
