/** Why a recorder that has few of root's rights may do better with more: nothing else is worth them. */
import { ProgramError } from '@vhostscope/terminal';

/** The probes could not be attached for a lack of permission, as the recorder says; nothing was recorded. */
export class NotPermittedError extends ProgramError {}

/** The types of a module could not be read for a recorder that may not ask the kernel for them. */
export class NoTypesError extends ProgramError {}

/**
 * EPERM and EACCES as bpftrace, libbpf and perf tell them. Of a program that could not be loaded bpftrace 0.17 tells
 * neither the kernel's error nor its log, and offers to: with -v, which prints the logs of those that were loaded among
 * the events. So it may have been anything, and is taken for a lack of rights: if it was another thing, the second try
 * fails as the first did, and nothing was gained by its rights. What names a program and does not offer that has said
 * itself what it failed for.
 */
const OF_PERMISSION =
  /^error loading program: .* \(try -v\)$|\bE(?:PERM|ACCES)\b|operation not permitted|permission (?:denied|error)|no permission|observability operations is limited/i;

/** Of what a recorder complained of, the first thing that it was not permitted. */
export function lackedPermission(complaints: readonly string[]): string | undefined {
  return complaints.find((complaint) => OF_PERMISSION.test(complaint));
}
