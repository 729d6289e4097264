import { expect, test } from 'vitest';
import { farewellOf } from './farewell.js';

const failed = { text: 'cannot write x', isError: true };
const saved = { text: 'saved x', isError: false };
const answer = { number: 3, ...failed };

test('what a file came to is told as it is left, where the screen did not', () => {
  expect(farewellOf({ saved: undefined }, undefined)).toEqual({ text: undefined, exitCode: 0 });
  const before = { saved: undefined, answer: undefined };
  expect(farewellOf({ saved: failed }, before)).toEqual({ text: 'cannot write x', exitCode: 2 });
  expect(farewellOf({ saved }, before)).toEqual({ text: 'saved x', exitCode: 0 });
  expect(farewellOf({ saved: failed }, { saved: failed, answer })).toEqual({
    text: undefined,
    exitCode: 0,
  });
  // One of the same words before it.
  expect(farewellOf({ saved: { ...failed } }, { saved: failed, answer }).exitCode).toBe(2);
});

test('another word that came behind it has not told it', () => {
  const other = { number: 4, text: 'all of it is judged anew', isError: false };
  expect(farewellOf({ saved: failed }, { saved: failed, answer: other }).exitCode).toBe(2);
});
