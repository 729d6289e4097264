/** Vhost devices in use: who holds one open. */
import type { HostSources } from './host-sources.js';

export interface VhostDevice {
  /** Device file, as /dev/vhost-net. */
  readonly path: string;
  readonly pid: number;
  /** Name of the process; may hold anything. */
  readonly comm: string;
}

/** All that can be seen: of other users' processes only root sees what they hold open. */
export function findVhostDevices(sources: HostSources): VhostDevice[] {
  return sources
    .list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) =>
      sources.list(`/proc/${pid}/fd`).flatMap((fd) => {
        const path = sources.readLink(`/proc/${pid}/fd/${fd}`);
        if (path === undefined || !/^\/dev\/vhost-\w+$/.test(path)) return [];
        return { path, pid: Number(pid), comm: commOf(sources, pid) };
      }),
    )
    .toSorted((a, b) => a.pid - b.pid || (a.path < b.path ? -1 : 1));
}

function commOf(sources: HostSources, pid: string): string {
  return (sources.readText(`/proc/${pid}/comm`) ?? '').replace(/\n$/, '');
}
