/** Which capabilities this process has in effect, as the kernel says it. */

/** Numbers of capabilities (linux/capability.h), of those that matter here. */
const NUMBER: Readonly<Record<string, number>> = {
  ipc_lock: 14,
  sys_admin: 21,
  syslog: 34,
  perfmon: 38,
  bpf: 39,
};

/** Those that CAP_SYS_ADMIN stands for as well. */
const OF_SYS_ADMIN: readonly string[] = ['bpf', 'perfmon'];

/**
 * Of some capabilities, those that a process has not.
 *
 * @param status text of /proc/PID/status
 * @returns undefined where it does not say
 */
export function lackedCapabilities(
  status: string | undefined,
  wanted: readonly string[],
): string[] | undefined {
  const digits = /^CapEff:\s*([0-9a-f]{1,16})$/m.exec(status ?? '')?.[1];
  if (digits === undefined) return undefined;
  const effective = BigInt(`0x${digits}`);
  const has = (name: string): boolean => ((effective >> BigInt(NUMBER[name] ?? 63)) & 1n) === 1n;
  return wanted.filter((name) => !has(name) && !(OF_SYS_ADMIN.includes(name) && has('sys_admin')));
}
