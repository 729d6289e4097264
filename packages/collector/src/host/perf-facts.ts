/** What of a host a recording with perf depends on, beside what every recording does. */
import type { UnlockSite } from '../perf-recording/probe-definitions.js';
import { readLayout, type StructLayout } from '../perf-recording/struct-layout.js';
import { findUnlockSites } from '../perf-recording/unlock-sites.js';
import type { HostSources } from './host-sources.js';

export interface PerfFacts {
  /** As the user named it: a path, or a name. */
  readonly asked: string;
  /** Undefined when it cannot be run. */
  readonly program: { readonly path: string; readonly version: string | undefined } | undefined;
  /** Or the reason why they are not known, to end a sentence with. */
  readonly layout: StructLayout | string;
  readonly sites: readonly UnlockSite[] | string;
}

/** Looks at a host. Never fails. */
export async function readPerfFacts(sources: HostSources, asked: string): Promise<PerfFacts> {
  const said = await sources.run(asked, ['--version']);
  const version = /\bperf version (\d+\.\d+(?:\.\d+)?)/.exec(said ?? '')?.[1];
  return {
    asked,
    program: said === undefined ? undefined : { path: asked, version },
    layout: readLayout(sources),
    sites: findUnlockSites(sources),
  };
}
