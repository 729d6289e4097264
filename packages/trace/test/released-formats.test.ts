/** Every format version ever released stays readable. A fixture is never made anew. */
import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordingCountsSchema } from '../src/recording-counts-schema.ts';
import { visitTrace } from '../src/merge-cpus.ts';
import { indexTrace } from '../src/trace-index.ts';
import { KIND } from '@vhostscope/model';

const FIXTURES = join(import.meta.dirname, 'fixtures');

test.each([1, 2])('format %i: the first 400 lines of examples/u5-json-q256.txt.gz', (version) => {
  const path = join(FIXTURES, `format-${version}.arrows`);
  const fd = openSync(path, 'r');
  const index = indexTrace(fd, statSync(path).size);
  expect(index).toMatchObject({
    formatVersion: version,
    closed: true,
    damage: undefined,
    // Neither has checksums.
    link: undefined,
    header: { sources: ['-'] },
  });
  const kinds = new Map<number, number>();
  let counts: unknown;
  visitTrace(fd, index, ({ kind, detail, details }, from, to) => {
    for (let row = from; row < to; row++) {
      kinds.set(kind[row], (kinds.get(kind[row]) ?? 0) + 1);
      if (kind[row] !== KIND.recording_end) continue;
      const { offsets, bytes } = details.note;
      const at = detail[row];
      counts = JSON.parse(new TextDecoder().decode(bytes.subarray(offsets[at], offsets[at + 1])));
    }
  });
  closeSync(fd);
  const { events, first } = recordingCountsSchema.parse(counts);
  expect(first).toBe('93645199626');
  expect(events).toMatchObject({ reset: 2 });
  for (const [name, count] of Object.entries(events))
    expect(kinds.get(KIND[name as keyof typeof KIND])).toBe(count);
});
