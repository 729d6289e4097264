/** `collector fleet send`: what earlier recordings left in a spool. */
import {
  defaultSpool,
  openServerLink,
  openSpoolFolder,
  parseServerUrl,
  sendLeftRuns,
  urlOfRun,
  type LeftRunResult,
} from '@vhostscope/fleet';
import { byteSize, counted, EXIT, jsonDocument, say, writeOut } from '@vhostscope/terminal';
import type { z } from 'zod';
import { hearSignals } from '../stop-signals.js';
import type { fleetSendSchema } from './fleet-result-schemas.js';
import { unsentWords } from './unsent-words.js';

export interface FleetSendOptions {
  readonly spool?: string;
  /** ms */
  readonly wait?: number;
  readonly json?: boolean;
}

const WAIT_MS = 30_000;

type FleetSent = z.infer<typeof fleetSendSchema>;

export async function fleetSendCommand(text: string, options: FleetSendOptions): Promise<number> {
  const url = parseServerUrl(text);
  const spool = openSpoolFolder(options.spool ?? defaultSpool());
  const tell = (words: string): void => say('collector', words);
  const signals = hearSignals();
  const tired = new AbortController();
  const link = await openServerLink(url, process.env, tell, true);
  const wait = options.wait ?? WAIT_MS;
  const timer = setTimeout(() => tired.abort(), wait);
  try {
    const { sent, left, inUse } = await sendLeftRuns({
      spool,
      link,
      signal: AbortSignal.any([signals.signal, tired.signal]),
      tell,
      fromAnyServer: true,
      onProgress: () => timer.refresh(),
    });
    const whyLeft = tired.signal.aborted ? `it took nothing for ${wait / 1000} s` : null;
    const result = {
      server: url.name,
      spool,
      sent: sent.map(runResult),
      left: left.map(runResult),
      in_use: inUse,
      trouble: left.length > 0 ? (link.trouble ?? whyLeft) : null,
    };
    for (const run of left) {
      const trouble = result.trouble ?? undefined;
      const words = { ...run, url: urlOfRun(url, run), spool, trouble };
      tell(unsentWords(words, url.name, options.spool !== undefined));
    }
    await writeOut(options.json === true ? jsonDocument(result) : sentText(result));
    if (left.length === 0)
      return sent.every(({ outcome }) => outcome === 'sent') ? EXIT.done : EXIT.no;
    return signals.signal.aborted ? EXIT.interrupted : EXIT.no;
  } finally {
    clearTimeout(timer);
    await link.close();
    signals.ignoreNoLonger();
  }
}

function runResult({
  host,
  run,
  bytes,
  acknowledgedBytes,
  sentBytes,
}: LeftRunResult): FleetSent['sent'][number] {
  return { host, run, bytes, acknowledged_bytes: acknowledgedBytes, sent_bytes: sentBytes };
}

function sentText({ server, spool, sent, left, in_use: inUse, trouble }: FleetSent): string {
  const lines = [
    ...(sent.length > 0
      ? [`sent to ${server}: ${counted(sent.length, 'run')}, ${sizeSentNow(sent)}`]
      : []),
    ...(left.length > 0
      ? [
          `left in ${spool}: ${counted(left.length, 'run')}; the server took ${sizeSentNow(left)}${trouble === null ? '' : ` (${trouble})`}`,
        ]
      : []),
    ...(inUse > 0
      ? [`in use by a recording, which sends it itself: ${counted(inUse, 'run')}`]
      : []),
  ];
  return `${(lines.length > 0 ? lines : [`nothing waits in ${spool}`]).join('\n')}\n`;
}

/** Where that is not all of them, how much is. */
function sizeSentNow(runs: FleetSent['sent']): string {
  const now = runs.reduce((sum, run) => sum + run.sent_bytes, 0);
  const all = runs.reduce((sum, run) => sum + run.bytes, 0);
  return now === all ? byteSize(now) : `${byteSize(now)} of ${byteSize(all)} now`;
}
