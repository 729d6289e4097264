/** Options that name a recorder, and contradict which one is to record. */
import { ProgramError } from '@vhostscope/terminal';
import type { Command } from 'commander';

/** @throws ProgramError where one of them would have no effect */
export function checkRecorderFlags(command: Command): void {
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  const recorder: unknown = command.getOptionValue('with');
  // `collector probes --perf` stands for --with perf --program.
  const asksForPerf = command.getOptionValue('perf') === true;
  if (asksForPerf && isGiven('with') && recorder !== 'perf')
    throw new ProgramError('--perf prints the probes of perf, and --with bpftrace contradicts it', {
      advice: 'leave one of them out',
    });
  if (isGiven('bpftrace') && (asksForPerf || recorder === 'perf'))
    throw new ProgramError('--bpftrace names a program that is not used: perf is to record', {
      advice: 'leave it out, or what asks for perf',
    });
  if (isGiven('user') && recorder === 'perf')
    throw new ProgramError('--user does not go with perf, whose probes only root can take away', {
      advice: 'record with bpftrace, or as root',
    });
  if (isGiven('perf') && !asksForPerf && recorder !== 'perf')
    throw new ProgramError('--perf names a program that is not used: bpftrace is to record', {
      advice: 'add --with perf, or leave it out',
    });
}
