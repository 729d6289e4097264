/** What this program itself takes. */

export interface Load {
  /** Share of one CPU in the last second or so, and bytes of memory. */
  measure(now: number): { readonly cpu: number; readonly memory: number };
}

const EVERY_MS = 1000;

export function createLoad(): Load {
  let usage = process.cpuUsage();
  let measuredAt: number | undefined;
  let latest = { cpu: 0, memory: process.memoryUsage.rss() };
  return {
    measure: (now) => {
      measuredAt ??= now;
      const elapsed = now - measuredAt;
      if (elapsed < EVERY_MS) return latest;
      const spent = process.cpuUsage(usage);
      latest = {
        cpu: (spent.user + spent.system) / 1000 / elapsed,
        memory: process.memoryUsage.rss(),
      };
      usage = process.cpuUsage();
      measuredAt = now;
      return latest;
    },
  };
}
