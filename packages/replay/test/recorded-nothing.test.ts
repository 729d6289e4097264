/** A recording in which nothing happened is one: how it ended, and that nothing is missing, is told of it too. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import {
  closeTrace,
  createTraceWriter,
  noteLimit,
  noteLiveEnd,
  type LiveEnd,
} from '@vhostscope/trace';
import { expect, test } from 'vitest';
import { infoResultSchema } from '../src/info-result.js';
import { runResultSchema } from '../src/run-result.js';
import { replay } from './in-process.ts';
import { temporaryFolder } from './traces.ts';

const path = join(temporaryFolder(), 'nothing.arrows');

/** Ten seconds from that time on. */
const SPAN = { from: 5_000_000_000n, until: 15_000_000_000n };

function write(isLive: boolean, span?: LiveEnd['span']): void {
  const fd = openSync(path, 'w');
  const writer = createTraceWriter(fd, {
    sources: ['test'],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: false,
    probes: { detail: 'rounds', hostKind: 'stock', views: [] },
  });
  if (isLive) {
    noteLiveEnd(writer, { ended: 'SIG\u001bINT', doubts: [], missing: {}, ...(span && { span }) });
    noteLimit(writer, 'no page was looked at');
  }
  closeTrace(writer);
  closeSync(fd);
}

test('info tells how it ended, and what it does not tell', async () => {
  write(true);
  const { code, out, err } = await replay('info', path);
  expect({ code, err }).toEqual({ code: 0, err: `replay: ${path}: no page was looked at\n` });
  expect(out).toContain('complete    yes, as counted in the kernel\n');
  expect(out).toContain('\nrecording 0\n  ended: SIG\\x1bINT\n  no event\n  no virtqueue');
  const { recordings } = infoResultSchema.parse(
    JSON.parse((await replay('info', path, '--json')).out),
  );
  expect(recordings).toMatchObject([{ events: {}, first: null, ended: 'SIG\u001bINT', cpus: [] }]);
});

test('run answers as of any host on which no vhost device was seen', async () => {
  write(true);
  const { code, out } = await replay('run', path);
  expect(code).toBe(0);
  expect(out).toContain('\nno virtqueue: no vhost device was seen\n');
  const result = runResultSchema.parse(JSON.parse((await replay('run', path, '--json')).out));
  expect(result).toMatchObject({ complete: true, totals: { accesses: 0 } });
});

test('how long nothing happened is known, and spans of that time are', async () => {
  write(true, SPAN);
  for (const args of [
    ['--to', '10s'],
    ['--from', '3s'],
    ['--from', '-4s', '--to', '14000000000'],
  ])
    expect(await replay('run', path, ...args)).toMatchObject({ code: 0 });
  expect(await replay('run', path, '--to', '11s')).toMatchObject({
    code: 2,
    err: expect.stringContaining('it lasts 10.000 s, from 5000000000 to 15000000000 ns'),
  });
  expect(await replay('run', path, '--from', '16000000000', '--to', '17000000000')).toMatchObject({
    code: 2,
    err: expect.stringContaining('it lasts from 5000000000 to 15000000000 ns'),
  });
  expect((await replay('fleet', path)).out).toContain('10.000 s recorded in all');
});

test('where it does not say when it was, none of that is known', async () => {
  write(true);
  expect((await replay('fleet', path)).out).toContain('0.000 s recorded in all');
});

test('a trace without any recording has nothing to tell', async () => {
  write(false);
  expect(await replay('info', path)).toEqual({
    code: 2,
    out: '',
    err: `replay: no events in ${path}\n`,
  });
});
