/** Whether texts can be in one trace: it has one clock, whose times have one step. */
import { statSync } from 'node:fs';
import {
  createGrowingBytes,
  createTextKindFinder,
  InputError,
  inputName,
  isArrowStream,
  readInput,
  type TextKind,
} from '@vhostscope/trace';

/** A text and what it is. */
export interface KnownText {
  readonly name: string;
  readonly kind: TextKind;
}

/** @throws InputError where the times of one cannot be in one trace with those of the other */
export function checkOneClock(one: KnownText, other: KnownText): void {
  // Where there is no event there are no times.
  if (other.kind.saysNothing === true) return;
  if (one.kind.clock === other.kind.clock && one.kind.timeStep === other.kind.timeStep) return;
  throw new InputError(
    `${other.name} is ${inWords(other.kind)}, and ${one.name} is ${inWords(one.kind)}: a trace has one clock, import them apart`,
  );
}

function inWords({ format, clock, timeStep, saysNothing }: TextKind): string {
  if (saysNothing === true) return 'a text without events, and was taken for text of bpftrace';
  const unit = timeStep === 1 ? 'nanoseconds' : 'microseconds';
  return `text of ${format} with ${unit} of ${clock === 'unknown' ? 'a clock that is not known' : clock}`;
}

/**
 * Looks into files before anything is written: the trace names all of them. What a pipe holds is seen only as it is
 * read, and what is wrong with a file is said when its turn comes.
 *
 * @returns the first of them that tells what it is; undefined where none does, or there is one input only
 * @throws InputError where they cannot be in one trace
 */
export async function checkFiles(files: readonly string[]): Promise<KnownText | undefined> {
  if (files.length < 2) return undefined;
  let first: KnownText | undefined;
  for (const file of files) {
    const kind = isFile(file) ? await kindOf(file) : undefined;
    if (kind === undefined || kind.saysNothing === true) continue;
    const text = { name: inputName(file), kind };
    first ??= text;
    checkOneClock(first, text);
  }
  return first;
}

function isFile(path: string): boolean {
  return path !== '-' && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** undefined of what holds no text, or cannot be read. */
async function kindOf(path: string): Promise<TextKind | undefined> {
  const finder = createTextKindFinder();
  const found = new AbortController();
  const head = createGrowingBytes();
  let kind: TextKind | undefined;
  let isText = true;
  try {
    await readInput(path, {
      onChunk: (bytes) => {
        if (found.signal.aborted) return;
        isText &&= head.all.length > 0 || !isArrowStream(bytes);
        head.append(bytes);
        kind = finder.find(head.all, false);
        if (kind !== undefined || !isText) found.abort();
      },
      signal: found.signal,
    });
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
  return isText && head.all.length > 0 ? (kind ?? finder.find(head.all, true)) : undefined;
}
