/** Answers of `replay compare`. */
import { expect } from 'vitest';
import {
  compareResultSchema,
  type CompareResult,
  type ComparedDesign,
} from '../src/compare-result.ts';
import { replay } from './in-process.ts';

/** It has nothing to say beside its result. */
export async function compare(...args: string[]): Promise<{ code: number; result: CompareResult }> {
  const { code, out, err } = await replay('compare', '--json', ...args);
  expect(err).toBe('');
  return { code, result: compareResultSchema.parse(JSON.parse(out)) };
}

export function rowOf(rows: readonly ComparedDesign[] | undefined, name: string): ComparedDesign {
  const row = rows?.find(({ design }) => design === name);
  if (row === undefined) throw new Error(`no row ${name}`);
  return row;
}
