import { describe, expect, test } from 'vitest';
import { createStackReader, type KernelStack } from './kernel-stacks.js';

function read(...lines: string[]): { stacks: KernelStack[]; understood: boolean[] } {
  const stacks: KernelStack[] = [];
  const reader = createStackReader((stack) => stacks.push(stack));
  return { understood: lines.map((line) => reader.hear(line)), stacks };
}

const END = 'stack end';

const FRAMES = [
  '        __mmu_notifier_invalidate_range_start+1',
  '        collapse_huge_page+4667',
  '        khugepaged+1274',
];

test('a stack as bpftrace prints it', () => {
  const { stacks, understood } = read('stack 23026721548 3', ...FRAMES, END);
  expect(understood).toEqual([true, true, true, true, true]);
  expect(stacks).toEqual([
    {
      id: 23_026_721_548n,
      cpu: 3,
      functions: ['__mmu_notifier_invalidate_range_start', 'collapse_huge_page', 'khugepaged'],
      class: 'khugepaged',
    },
  ]);
});

test('an address without a name does not go on', () => {
  const { stacks } = read(
    'stack 5 0',
    '        0xffffffff9a0b1c2d',
    '        ffffffff9a0b1c2d',
    '        copy_page_range+12',
    '        <unwind failure>',
    END,
  );
  expect(stacks).toMatchObject([{ functions: ['?', '?', 'copy_page_range', '?'], class: 'fork' }]);
});

test('a stack without frames is there, and of no class', () => {
  expect(read('stack 5 0', END).stacks).toMatchObject([{ functions: [], class: 'unknown' }]);
});

test('the one of the start is no stack of a range', () => {
  expect(read('stack 0 0', ...FRAMES, END).stacks).toEqual([]);
});

describe('what is not whole is not told', () => {
  test.each([
    ['cut by the next', ['stack 5 0', ...FRAMES, 'stack 6 0', END]],
    ['cut by other text', ['stack 5 0', ...FRAMES, 'some words', END, 'stack 6 0', END]],
    [
      'of more frames than are asked for',
      ['stack 5 0', ...Array.from({ length: 65 }, () => '   x+1'), END, 'stack 6 0', END],
    ],
  ])('%s', (_, lines) => {
    expect(read(...lines).stacks.map(({ id }) => id)).toEqual([6n]);
  });
});

test('other text is left to others', () => {
  expect(read('hello', END, ...FRAMES, 'stack -1 0', 'stack 5 0 7').understood).not.toContain(true);
});
