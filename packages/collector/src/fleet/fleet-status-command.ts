/** `collector fleet status`: which runs a server holds. */
import { openFleet, parseFleetUrl, urlOfRun, type Fleet, type FleetRun } from '@vhostscope/fleet';
import {
  byteSize,
  counted,
  EXIT,
  grouped,
  jsonDocument,
  printable,
  tableLines,
  writeOut,
} from '@vhostscope/terminal';
import type { z } from 'zod';
import type { fleetStatusSchema } from './fleet-result-schemas.js';

type FleetStatus = z.infer<typeof fleetStatusSchema>;
type RunStatus = FleetStatus['runs'][number];

export async function fleetStatusCommand(
  text: string,
  options: { readonly json?: boolean },
): Promise<number> {
  const fleet = await openFleet(parseFleetUrl(text));
  try {
    const { stream, bytes, maxBytes } = await fleet.usage();
    const runs: RunStatus[] = [];
    for (const run of await fleet.listRuns()) runs.push(await statusOf(fleet, run));
    const status = { server: fleet.url.name, stream, bytes, max_bytes: maxBytes ?? null, runs };
    await writeOut(options.json === true ? jsonDocument(status) : statusText(status));
    return EXIT.done;
  } finally {
    await fleet.close();
  }
}

async function statusOf(fleet: Fleet, found: FleetRun): Promise<RunStatus> {
  const { host, run, pieces, bytes, end, lastMs } = found;
  const clock = await fleet.readClock(host, run);
  return {
    host,
    run,
    url: urlOfRun(fleet.url, found),
    pieces,
    bytes,
    end: end ?? null,
    last: new Date(lastMs).toISOString(),
    clock:
      clock === undefined
        ? null
        : {
            clock: clock.clock,
            at: String(clock.at),
            offset: String(clock.offset),
            uncertainty: String(clock.uncertainty),
          },
  };
}

function statusText({ server, stream, bytes, max_bytes: max, runs }: FleetStatus): string {
  const hosts = new Set(runs.map(({ host }) => host)).size;
  const room = max === null ? '' : ` of ${byteSize(max)}`;
  const head = `${server}: ${counted(runs.length, 'run')} of ${counted(hosts, 'host')}, ${byteSize(bytes)}${room} in ${stream}`;
  if (runs.length === 0) return `${head}\n`;
  const lines = tableLines(
    [
      { title: 'host', align: 'left' },
      { title: 'run', align: 'left' },
      { title: 'pieces', align: 'right' },
      { title: 'trace', align: 'right' },
      { title: 'state', align: 'left' },
      { title: 'last heard', align: 'left' },
      { title: 'clock known to', align: 'right' },
    ],
    runs.map((run) => [
      printable(run.host),
      printable(run.run),
      grouped(run.pieces),
      byteSize(run.bytes),
      STATES[run.end ?? 'open'],
      run.last.replace(/\.\d+Z$/, 'Z'),
      run.clock === null ? '–' : `± ${(Number(run.clock.uncertainty) / 1e6).toFixed(3)} ms`,
    ]),
  );
  return `${head}\n\n${lines.join('\n')}\n`;
}

const STATES = { closed: 'finished', cut: 'cut off', open: 'not finished' } as const;
