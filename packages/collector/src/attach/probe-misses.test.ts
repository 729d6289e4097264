import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { countProbeMisses, keepProbeMisses } from './probe-misses.js';

/** As Linux 6.1 prints it. */
const fdinfo = (id: number, misses: number): string =>
  `pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t39\nprog_type:\t2\nprog_jited:\t1\n` +
  `prog_tag:\teb958f4e347937d5\nmemlock:\t4096\nprog_id:\t${id}\nrun_time_ns:\t0\nrun_cnt:\t0\n` +
  `recursion_misses:\t${misses}\nverified_insns:\t45\n`;

test('adds up the programs, each once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'misses '));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'fdinfo'));
  const write = (fd: number, text: string): void =>
    writeFileSync(join(folder, 'fdinfo', String(fd)), text);
  write(0, 'pos:\t0\nflags:\t02\nmnt_id:\t1\nino:\t1\n');
  write(5, fdinfo(7, 3));
  write(6, fdinfo(7, 3));
  write(9, fdinfo(8, 40));
  expect(countProbeMisses(folder)).toBe(43);
});

test('a process that is gone has none', () => {
  expect(countProbeMisses('/proc/2147483647')).toBe(0);
});

test('files that were opened before tell what holds now, and those of no program are left alone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'misses '));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'fdinfo'));
  const write = (fd: number, text: string): void =>
    writeFileSync(join(folder, 'fdinfo', String(fd)), text);
  write(0, 'pos:\t0\nflags:\t02\n');
  write(5, fdinfo(7, 3));
  write(6, fdinfo(8, 4));
  const kept = keepProbeMisses(folder);
  write(0, fdinfo(9, 1000));
  expect(kept.count()).toBe(7);
  write(5, fdinfo(7, 33));
  expect(kept.count()).toBe(37);
  kept.close();
  expect(kept.count()).toBe(0);
  expect(keepProbeMisses('/proc/2147483647').count()).toBe(0);
});
