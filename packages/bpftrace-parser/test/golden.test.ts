import { describe, expect, it } from 'vitest';
import type { Message } from '../src/index.js';
import { FIXTURES, LF, OUTPUTS, dump, readFixture, run } from './support.js';

describe.each(OUTPUTS)('%s', (name) => {
  const input = readFixture(name);
  const whole = run([input]);

  it('is understood, all of it', async () => {
    const { counts } = whole;
    expect(counts).toMatchObject({ unknown: 0, rejected: 0, overlong: 0, truncated: 0 });
    expect(counts.lines).toBe(input.filter((byte) => byte === LF).length);
    await expect(dump(whole.messages)).toMatchFileSnapshot(`${FIXTURES}${name}.expected.json`);
  });

  it('gives the same messages wherever it is cut in two', { timeout: 60_000 }, () => {
    const expected = dump(whole.messages);
    for (let cut = 0; cut <= input.length; cut++) {
      const { messages, counts } = run([input.subarray(0, cut), input.subarray(cut)]);
      if (dump(messages) !== expected) expect(messages).toEqual(whole.messages);
      if (counts.lines !== whole.counts.lines) expect(counts).toEqual(whole.counts);
    }
  });

  it('gives the same messages byte by byte', () => {
    const single = Array.from(input, (_, i) => input.subarray(i, i + 1));
    expect(run(single)).toEqual(whole);
  });

  it('loses only the cut line when it ends early', { timeout: 60_000 }, () => {
    for (let end = 0; end < input.length; end++) {
      const { messages, counts } = run([input.subarray(0, end)]);
      const cut = end > 0 && input[end - 1] !== LF;
      const complete = counts.lines - (cut ? 1 : 0);
      const rest = cut ? messages.slice(0, -1) : messages;
      if (cut && messages.at(-1)?.type !== 'truncated') expect(messages.at(-1)).toBe('truncated');
      if (counts.truncated !== (cut ? 1 : 0)) expect(counts.truncated).toBe(cut ? 1 : 0);
      expectPrefix(rest, whole.messages, complete);
    }
  });
});

/**
 * Messages that began on complete lines are all there; only the last one of the whole may differ,
 * if it has more lines than were complete.
 */
function expectPrefix(some: readonly Message[], all: readonly Message[], complete: number): void {
  const expected = all.filter((message) => message.line <= complete);
  let same = 0;
  while (same < some.length && dump([some[same]]) === dump([expected[same]])) same++;
  if (same === some.length && same === expected.length) return;
  expect(same, 'only the last message may differ').toBe(expected.length - 1);
  const open = expected[same];
  expect(['hist', 'map', 'log']).toContain(open.type);
  for (const message of some.slice(same)) expect(message.line).toBeGreaterThanOrEqual(open.line);
}
