/** `tui --from nats://host`, with no run named: one row for each host. */
import { openFleet } from '@vhostscope/fleet';
import { EXIT, jsonLine, ProgramError, say } from '@vhostscope/terminal';
import { canDraw } from './can-draw.js';
import type { DashboardOptions } from './dashboard-options.js';
import { MOST_HOSTS, openHosts } from './hosts/hosts-session.js';
import { hearInterruption } from './interruption.js';
import { wantedSession } from './open-dashboard.js';
import { hostsLine } from './plain/hosts-line.js';
import { hostsStatusOf } from './plain/hosts-status.js';
import { printLines, type LineSource } from './plain/print-lines.js';

/** @returns the exit code @throws ProgramError, FleetError */
export async function hostsCommand(url: string, options: DashboardOptions): Promise<number> {
  if (options.speed !== undefined)
    throw new ProgramError(`--speed plays one run, and ${url} names none`, {
      advice: `name a run, as in tui --from ${url.replace(/\/$/, '')}/HOST/RUN --speed ${options.speed}`,
    });
  const wanted = wantedSession({ kind: 'server', path: url }, options);
  const fleet = await openFleet(url);
  if (fleet.taken !== undefined) say('tui', fleet.taken);
  const watch = await fleet.watchRuns().catch(async (error: unknown) => {
    await fleet.close();
    throw error;
  });
  // Until here a signal ends it by itself: nothing is to be closed.
  const interruption = hearInterruption();
  const { signal } = interruption;
  const hosts = openHosts(fleet, watch, wanted, MOST_HOSTS);
  try {
    if (options.json === true || !canDraw()) {
      const lineOf =
        options.json === true
          ? () => jsonLine(hostsStatusOf(hosts.view()))
          : () => hostsLine(hosts.view());
      const lines: LineSource = {
        advance: (now, budget) => void hosts.advance(now, budget),
        line: lineOf,
        get isEarly() {
          return !hosts.view().isListed;
        },
        get isBusy() {
          return hosts.isBusy;
        },
        // Another host may come at any time.
        isOver: false,
        exitCode: () => EXIT.done,
      };
      return await printLines(lines, signal);
    }
    const { readJump } = await import('./jump-target.js');
    const { lookOf } = await import('./screen/look.js');
    const { createHostsStage } = await import('./screen/hosts-stage.js');
    const { runScreen } = await import('./screen/run-screen.js');
    const look = lookOf(process.env, process.stdout.getColorDepth());
    const stage = createHostsStage(hosts, { look, readJump });
    try {
      return await runScreen(stage, {
        isStdinSource: false,
        isDebugged: options.debug === true,
        signal,
      });
    } finally {
      const unsaved = await stage.close();
      if (unsaved !== undefined) say('tui', unsaved);
    }
  } finally {
    await hosts.close();
    interruption.ignoreNoLonger();
  }
}
