/** What the kernel did, counted by a bpftrace of its own: it prints nothing meanwhile, so it loses nothing. */
import type { Host } from '../../src/index.js';

/** Counts hits of probes by another bpftrace; the returned function ends it and tells the counts. */
export async function countCalls(
  host: Host,
  probes: readonly string[],
): Promise<() => Promise<number[]>> {
  const program = probes.map((probe, at) => `${probe} { @c${at} = count(); }`).join(' ');
  let isAttached: () => void = () => undefined;
  const attached = new Promise<void>((resolve) => (isAttached = resolve));
  const bpftrace = host.start(`__BPFTRACE_NOTIFY_PROBES_ATTACHED=1 exec bpftrace -e '${program}'`, {
    onStderr: (bytes) => bytes.includes('PROBES_ATTACHED') && isAttached(),
  });
  const early = bpftrace.ended.then(({ stdout, stderr }) => {
    throw new Error(`the second bpftrace ended: ${stdout}${stderr}`);
  });
  early.catch(() => undefined);
  await Promise.race([attached, early]);
  return async () => {
    bpftrace.signal('SIGINT');
    const { stdout } = await bpftrace.ended;
    return probes.map((_, at) => Number(new RegExp(`@c${at}: (\\d+)`).exec(stdout)?.[1] ?? 0));
  };
}
