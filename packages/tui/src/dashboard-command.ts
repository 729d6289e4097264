/** `tui`: the screen, or lines where there is no terminal. */
import { EXIT, jsonDocument, jsonLine, say, writeOut } from '@vhostscope/terminal';
import { isFleetUrl, parseFleetUrl } from '@vhostscope/fleet/url';
import { z } from 'zod';
import { canDraw } from './can-draw.js';
import type { DashboardOptions } from './dashboard-options.js';
import type { Session } from './dashboard.js';
import { hearInterruption } from './interruption.js';
import { plainLine } from './plain/plain-line.js';
import { runPlain } from './plain/run-plain.js';
import { statusOf, statusSchema } from './plain/status.js';
import { namedSource } from './named-source.js';

export async function dashboardCommand(
  named: string | undefined,
  options: DashboardOptions,
): Promise<number> {
  if (options.schema === true) {
    const isOfHosts = isFleet(options.from ?? named);
    const schema = isOfHosts
      ? (await import('./plain/hosts-status.js')).hostsStatusSchema
      : statusSchema;
    await writeOut(jsonDocument(z.toJSONSchema(schema)));
    return EXIT.done;
  }
  const source = namedSource(named, options);
  if (isFleet(source.name)) {
    const { hostsCommand } = await import('./hosts-command.js');
    return hostsCommand(source.name, options);
  }
  const { openDashboard } = await import('./open-dashboard.js');
  const interruption = hearInterruption();
  const { signal } = interruption;
  let session: Session | undefined;
  try {
    session = await openDashboard(source, options, signal);
    if (session === undefined) return EXIT.interrupted;
    if (options.json === true || !canDraw())
      return await runPlain(
        session,
        options.json === true ? (view) => jsonLine(statusOf(view)) : plainLine,
        signal,
      );
    const { readJump } = await import('./jump-target.js');
    const { lookOf } = await import('./screen/look.js');
    const { createDashboardStage } = await import('./screen/dashboard-stage.js');
    const { runScreen } = await import('./screen/run-screen.js');
    const look = lookOf(process.env, process.stdout.getColorDepth());
    return await runScreen(createDashboardStage(session, { look, readJump, hasBack: false }), {
      isStdinSource: source.kind === 'stdin',
      isDebugged: options.debug === true,
      signal,
    });
  } finally {
    await session?.close();
    if (session?.unsaved !== undefined) say('tui', session.unsaved);
    interruption.ignoreNoLonger();
  }
}

/** A server of which no run is named. @throws ProgramError for what is no URL */
function isFleet(name: string | undefined): boolean {
  return name !== undefined && isFleetUrl(name) && parseFleetUrl(name).run === undefined;
}
