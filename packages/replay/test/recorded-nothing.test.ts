/** A recording in which nothing happened is one: how it ended, and that nothing is missing, is told of it too. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { closeTrace, createTraceWriter, noteLimit, noteLiveEnd } from '@vhostscope/trace';
import { expect, test } from 'vitest';
import { infoResultSchema } from '../src/info-result.js';
import { runResultSchema } from '../src/run-result.js';
import { replay } from './in-process.ts';
import { temporaryFolder } from './traces.ts';

const path = join(temporaryFolder(), 'nothing.arrows');

function write(isLive: boolean): void {
  const fd = openSync(path, 'w');
  const writer = createTraceWriter(fd, {
    sources: ['test'],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: false,
    probes: { detail: 'rounds', hostKind: 'stock', views: [] },
  });
  if (isLive) {
    noteLiveEnd(writer, { ended: 'SIG\u001bINT', doubts: [], missing: {} });
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

test('a trace without any recording has nothing to tell', async () => {
  write(false);
  expect(await replay('info', path)).toEqual({
    code: 2,
    out: '',
    err: `replay: no events in ${path}\n`,
  });
});
