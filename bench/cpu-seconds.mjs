import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const TICKS = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout);

/** What a process has used so far, of all its threads, in CPU seconds. */
export function cpuSecondsOf(pid) {
  const [, after] = /\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const fields = after.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}
