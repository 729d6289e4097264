/** `collector fleet status`: which runs a server holds. */
import {
  openFleet,
  urlOfRun,
  type ClockReading,
  type FleetRun,
  type FleetUrl,
} from '@vhostscope/fleet';
import {
  byteSize,
  counted,
  EXIT,
  grouped,
  jsonDocument,
  printable,
  say,
  tableLines,
  uncertainty,
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
  const fleet = await openFleet(text);
  try {
    if (fleet.taken !== undefined) say('collector', fleet.taken);
    const { stream, bytes, maxBytes } = await fleet.usage();
    const found = await fleet.listRuns();
    const clockOf = await fleet.readClocks();
    const runs = found.map((run) => statusOf(fleet.url, run, clockOf(run)));
    const status = { server: fleet.url.name, stream, bytes, max_bytes: maxBytes ?? null, runs };
    await writeOut(options.json === true ? jsonDocument(status) : statusText(status));
    return EXIT.done;
  } finally {
    await fleet.close();
  }
}

function statusOf(url: FleetUrl, found: FleetRun, clock: ClockReading | undefined): RunStatus {
  const { host, run, pieces, missing, first, bytes, end, lastMs } = found;
  return {
    host,
    run,
    url: urlOfRun(url, found),
    pieces,
    missing_pieces: missing,
    first_piece: first,
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
  const traces = runs.reduce((sum, run) => sum + run.bytes, 0);
  const room = max === null ? '' : ` of ${byteSize(max)}`;
  // The stream is of all hosts, also where one is asked for.
  const head = `${server}: ${counted(runs.length, 'run')} of ${counted(hosts, 'host')}, ${byteSize(traces)}; the stream ${stream} takes ${byteSize(bytes)}${room}`;
  if (runs.length === 0) return `${head}\n`;
  const lines = tableLines(
    [
      { title: 'host', align: 'left' },
      { title: 'run', align: 'left' },
      { title: 'trace', align: 'right' },
      { title: 'pieces', align: 'right' },
      { title: 'recording', align: 'left' },
      { title: 'last heard of (UTC)', align: 'left' },
      { title: 'clock offset known to', align: 'right' },
    ],
    runs.map((run) => [
      printable(run.host),
      printable(run.run),
      byteSize(run.bytes),
      piecesText(run),
      STATES[run.end ?? 'open'],
      run.last.replace(/^(.*)T(.*)\.\d+Z$/, '$1 $2'),
      run.clock === null ? '–' : `± ${uncertainty(BigInt(run.clock.uncertainty))}`,
    ]),
  );
  return `${[head, '', ...lines, '', ...legend(runs)].join('\n')}\n`;
}

/** How many there are, and what is gone of them. */
function piecesText({ pieces, missing_pieces: missing, first_piece: first }: RunStatus): string {
  if (missing === 0) return grouped(pieces);
  const which =
    missing === first ? `first ${grouped(missing)} gone` : `${grouped(missing)} missing`;
  return `${grouped(pieces)}, ${which}`;
}

const STATES = { closed: 'finished', cut: 'cut off', open: 'not finished' } as const;

const MEANINGS: Readonly<Record<keyof typeof STATES, string>> = {
  // Why it ended, and what it lacks, stands in the trace, of which only the pieces are known here.
  closed:
    'finished: whoever wrote it has closed it, also where that was interrupted, and all up to there was sent; ' +
    'replay info URL says whether it is complete',
  cut: 'cut off: its recorder was lost, and what it had kept by then was sent',
  open: 'not finished: it is under way, or the rest waits on its host to be sent',
};

/** What the words of the table mean that stand in it. */
function legend(runs: readonly RunStatus[]): string[] {
  const states = (['closed', 'cut', 'open'] as const).filter((state) =>
    runs.some(({ end }) => (end ?? 'open') === state),
  );
  const lacking = runs.filter(({ missing_pieces: missing }) => missing > 0).length;
  return [
    ...states.map((state) => MEANINGS[state]),
    ...(lacking > 0
      ? [
          `${counted(lacking, 'run')} of which pieces are not on the server, by its limits or as they were deleted there: replay reads up to the first that is missing`,
        ]
      : []),
  ];
}
