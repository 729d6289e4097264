/** Why a recorder that has few of root's rights may do better with more: nothing else is worth them. */
import { ProgramError } from '@vhostscope/terminal';

/** The probes could not be attached for a lack of permission, as the recorder says; nothing was recorded. */
export class NotPermittedError extends ProgramError {}

/** The types of a module could not be read for a recorder that may not ask the kernel for them. */
export class NoTypesError extends ProgramError {}

/**
 * EPERM and EACCES as bpftrace, libbpf and perf tell them; and where a program could not be loaded, of which bpftrace
 * 0.17 does not say why unless it is asked to (-v).
 */
const OF_PERMISSION =
  /error loading program|\bE(?:PERM|ACCES)\b|operation not permitted|permission (?:denied|error)|no permission|observability operations is limited/i;

/** Of what a recorder complained of, the first thing that it was not permitted. */
export function lackedPermission(complaints: readonly string[]): string | undefined {
  return complaints.find((complaint) => OF_PERMISSION.test(complaint));
}
