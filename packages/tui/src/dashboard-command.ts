/** `tui`: the screen, or lines where there is no terminal. */
import { EXIT, jsonDocument, jsonLine, say, writeOut } from '@vhostscope/terminal';
import { z } from 'zod';
import type { DashboardOptions } from './dashboard-options.js';
import { plainLine } from './plain/plain-line.js';
import { runPlain } from './plain/run-plain.js';
import { statusOf, statusSchema } from './plain/status.js';
import { namedSource } from './named-source.js';

export async function dashboardCommand(
  named: string | undefined,
  options: DashboardOptions,
): Promise<number> {
  if (options.schema === true) {
    await writeOut(jsonDocument(z.toJSONSchema(statusSchema)));
    return EXIT.done;
  }
  const source = namedSource(named, options);
  const { openDashboard } = await import('./open-dashboard.js');
  const session = await openDashboard(source, options);
  if (session === undefined) return EXIT.interrupted;
  try {
    if (options.json === true || !process.stdout.isTTY)
      return await runPlain(
        session,
        options.json === true ? (view) => jsonLine(statusOf(view)) : plainLine,
      );
    const { readJump } = await import('./jump-target.js');
    const { runScreen } = await import('./screen/run-screen.js');
    return await runScreen(session, {
      isStdinSource: source.kind === 'stdin',
      readJump,
      isDebugged: options.debug === true,
    });
  } finally {
    await session.close();
    if (session.unsaved !== undefined) say('tui', session.unsaved);
  }
}
