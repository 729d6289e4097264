/** How many processes the user wants. */
import { availableParallelism } from 'node:os';
import { ProgramError } from '@vhostscope/terminal';

const MOST_WORKERS = 1024;

/** @throws ProgramError for what is no number of them */
export function readWorkers(text: string | undefined): number {
  if (text === undefined) return availableParallelism();
  if (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= MOST_WORKERS) return Number(text);
  throw new ProgramError(`--workers takes a number, 1 to ${MOST_WORKERS}, not "${text}"`);
}
