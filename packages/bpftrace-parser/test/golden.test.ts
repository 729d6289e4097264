import { describe, expect, it } from 'vitest';
import type { Message } from '../src/index.js';
import { FIXTURES, LF, OUTPUTS, dump, readFixture, run } from './support.js';

it('reads every recording there is', () => {
  expect(OUTPUTS).toHaveLength(34);
});

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
    const different: number[] = [];
    for (let cut = 0; cut <= input.length; cut++) {
      const { messages, counts } = run([input.subarray(0, cut), input.subarray(cut)]);
      const same = dump(messages) === expected && counts.lines === whole.counts.lines;
      if (!same) different.push(cut);
    }
    expect(different).toEqual([]);
  });

  it('gives the same messages byte by byte', () => {
    const single = Array.from(input, (_, i) => input.subarray(i, i + 1));
    expect(run(single)).toEqual(whole);
  });

  it('loses only the cut line when it ends early', { timeout: 60_000 }, () => {
    const wrong: string[] = [];
    for (let end = 0; end < input.length; end++) {
      const { messages, counts } = run([input.subarray(0, end)]);
      const cut = end > 0 && input[end - 1] !== LF;
      const complete = counts.lines - (cut ? 1 : 0);
      const rest = cut ? messages.slice(0, -1) : messages;
      if (cut !== (messages.at(-1)?.type === 'truncated')) wrong.push(`${end}: not told`);
      if (counts.truncated !== Number(cut)) wrong.push(`${end}: not counted`);
      if (!isPrefix(rest, whole.messages, complete)) wrong.push(`${end}: lost more`);
    }
    expect(wrong).toEqual([]);
  });
});

/**
 * Whether the messages that began on complete lines are all there. Only the last one may differ,
 * if it is of a kind that goes on over further lines.
 */
function isPrefix(some: readonly Message[], all: readonly Message[], complete: number): boolean {
  const expected = all.filter((message) => message.line <= complete);
  let same = 0;
  while (same < some.length && dump([some[same]]) === dump([expected[same]])) same++;
  if (same === some.length && same === expected.length) return true;
  const open = expected[same];
  return (
    same === expected.length - 1 &&
    ['hist', 'map', 'log'].includes(open.type) &&
    some.slice(same).every((message) => message.line >= open.line)
  );
}
