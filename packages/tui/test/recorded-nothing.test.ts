/** A recording in which nothing happened is no broken one: there is just nothing to show. */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import {
  batchEnd,
  closeTrace,
  createTraceWriter,
  indexTrace,
  noteLiveEnd,
} from '@vhostscope/trace';
import { expect, test } from 'vitest';
import { openFinishedFile } from '../src/source/finished-file.ts';
import { freshPaths, temporaryFolder } from './traces.ts';

const newPath = freshPaths(temporaryFolder());

function emptyRecording(): string {
  const path = newPath();
  const fd = openSync(path, 'w+');
  const writer = createTraceWriter(fd, {
    sources: ['test'],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: false,
  });
  noteLiveEnd(writer, { ended: 'duration', doubts: [], missing: {} });
  closeTrace(writer);
  closeSync(fd);
  return path;
}

test('it is said that nothing happened, and where to learn more', async () => {
  const path = emptyRecording();
  await expect(openFinishedFile(path)).rejects.toThrow(
    `nothing happened while ${path} was recorded: there is nothing to show; replay info tells how it ended`,
  );
});

test('nothing of the kind where its end was changed', async () => {
  const path = emptyRecording();
  const bytes = readFileSync(path);
  const fd = openSync(path, 'r');
  const end = indexTrace(fd, bytes.length).recordings[0]?.end;
  closeSync(fd);
  const body = batchEnd(end) - (end?.bodyBytes ?? 0);
  bytes[body] = (bytes[body] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  await expect(openFinishedFile(path)).rejects.toThrow(`no events in ${path}`);
});
