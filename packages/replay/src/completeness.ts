/** What is known to be missing from a trace, or wrong with it. */
import { counted } from '@vhostscope/terminal';
import {
  lacksNotifier,
  NO_EVENT,
  recordingCounts,
  UNTOLD_NOTIFIER,
  type ImportReport,
  type OpenTrace,
  type TraceBytes,
} from '@vhostscope/trace';

export interface Completeness {
  /** false: something is known to be missing; true: counted in the kernel, all there; null: nobody counted. */
  readonly complete: boolean | null;
  /** How many were lost, by who lost them: decimal strings. */
  readonly lost: Readonly<Record<string, string>>;
  /** Damage that was read up to or around, each with its place. */
  readonly damage: readonly string[];
  /** All of it in sentences. */
  readonly problems: readonly string[];
}

/** @param trace one that may come from elsewhere than an open file */
export function completenessOf(
  trace: Pick<OpenTrace, 'name' | 'index' | 'imported' | 'damage'> & { readonly fd: TraceBytes },
): Completeness {
  const lost = new Map<string, bigint>();
  let backward = 0;
  let unended = 0;
  const flaws = new Set<string>();
  const notes = new Set<string>();
  let whole = 0;
  const recordings = trace.index.recordings.map((recording) =>
    recordingCounts(trace.fd, recording),
  );
  for (const counts of recordings) {
    if (counts === undefined) {
      unended++;
      continue;
    }
    backward += counts.backward;
    if (counts.complete === true) whole++;
    if (lacksNotifier(counts.events)) notes.add(`${trace.name}: ${UNTOLD_NOTIFIER}`);
    for (const flaw of counts.flaws ?? []) flaws.add(`${trace.name}: ${flaw}`);
    for (const note of counts.notes ?? []) notes.add(`${trace.name}: ${note}`);
    for (const [by, howMany] of Object.entries(counts.lost))
      lost.set(by, (lost.get(by) ?? 0n) + BigInt(howMany));
  }
  const { leftOut } = trace.index;
  if (leftOut > 0) lost.set(DAMAGE, (lost.get(DAMAGE) ?? 0n) + BigInt(leftOut));
  // A text that is damaged says so itself, and so does what was made of it.
  const damage = [...new Set([...trace.damage, ...flaws])];
  if (backward > 0)
    damage.push(`${trace.name}: the clock of a CPU went back ${counted(backward, 'time')}`);
  damage.push(...unreadableLines(trace.name, trace.imported));
  const problems = [...damage, ...otherLines(trace.name, trace.imported)];
  for (const [by, howMany] of lost) {
    if (trace.imported === undefined || by !== UNREADABLE)
      problems.push(`${trace.name}: lost ${counted(howMany, 'event')} (${by})`);
  }
  problems.push(...notes);
  const missing = lost.size > 0 || damage.length > 0 || unended > 0;
  return {
    complete: missing ? false : recordings.length > 0 && whole === recordings.length ? true : null,
    lost: Object.fromEntries([...lost].map(([by, howMany]) => [by, String(howMany)])),
    damage,
    problems,
  };
}

/** Who lost what stands in, or behind, a damaged batch. */
const DAMAGE = 'damage of the file';

/** As `writeLoss` is told by the import of text. */
const UNREADABLE = 'unreadable input';

/** Lines that should have been events, with the first place. */
function unreadableLines(name: string, report: ImportReport | undefined): string[] {
  const first = report?.rejectedFirst[0];
  if (report === undefined || first === undefined) return [];
  return [
    `${name}: ${counted(report.rejected, 'line')} could not be read, the first is line ${first.line} ` +
      `(byte ${first.offset}): ${first.reason}`,
  ];
}

/** Lines that other programs have printed, with the first place. */
function otherLines(name: string, report: ImportReport | undefined): string[] {
  const first = report?.otherFirst[0];
  if (report === undefined || first === undefined) return [];
  return [
    `${name}: ${counted(report.other, 'line')} held no event, the first is line ${first.line} (byte ${first.offset})` +
      (first.reason === NO_EVENT ? '' : `: ${first.reason}`),
  ];
}
