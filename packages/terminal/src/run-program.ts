import { EXIT } from './exit-codes.js';
import { printable } from './printable.js';
import { isReaderGone } from './reader-gone.js';
import { runOut } from './run-out.js';

/**
 * An error with words for the user and an exit code. The message states facts, `details` are more of them, a
 * line each, `advice` says what to do.
 */
export class ProgramError extends Error {
  override name = 'ProgramError';
  readonly exitCode: number;
  readonly details: readonly string[];
  readonly advice: string | undefined;

  constructor(
    message: string,
    options: {
      exitCode?: number;
      details?: readonly string[];
      advice?: string;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode ?? EXIT.unusable;
    this.details = options.details ?? [];
    this.advice = options.advice;
  }
}

/**
 * Runs a program's main function and ends the process with its exit code: errors become a sentence on
 * stderr (a stack trace only with --debug), a reader of stdout that went away is no error.
 */
export async function runProgram(name: string, main: () => Promise<number>): Promise<void> {
  process.stdout.on('error', (error) => {
    // `replay run … | head`: whoever read us has seen enough.
    // The answer is still the answer.
    if (isReaderGone(error)) return;
    say(name, `cannot write to standard output: ${inWords(error)}`);
    process.exit(EXIT.unusable);
  });
  // When nobody listens to the talk any more, the work goes on.
  process.stderr.removeListener('error', ignore).on('error', ignore);
  try {
    process.exitCode = await main();
  } catch (error) {
    process.exitCode = explain(name, error);
  }
}

/** "ENOSPC: no space left on device, write" → "no space left on device" */
function inWords({ message }: Error): string {
  return message.replace(/^[A-Z0-9]+: (.*), \w+$/, '$1');
}

const ignore = (): void => undefined;

function explain(name: string, error: unknown): number {
  if (process.argv.includes('--debug') && error instanceof Error)
    process.stderr.write(`${(error.stack ?? '').split('\n').map(printable).join('\n')}\n`);
  if (error instanceof ProgramError) {
    for (const line of [error.message, ...error.details]) say(name, line);
    if (error.advice !== undefined) say(name, error.advice);
    return error.exitCode;
  }
  if (error instanceof Error && EXPECTED.has(error.name)) {
    say(name, error.message);
    return EXIT.unusable;
  }
  const want = runOut(error);
  if (want !== undefined) {
    const { syscall, path } = error as NodeJS.ErrnoException;
    say(name, `cannot ${syscall}${path === undefined ? '' : ` ${path}`}: ${want.what}`);
    say(name, want.advice);
    return EXIT.unusable;
  }
  say(name, `unexpected error: ${error instanceof Error ? error.message : String(error)}`);
  say(name, 'this is a bug; run again with --debug for the stack trace');
  return EXIT.unusable;
}

/** Errors of package `trace` whose messages are written for users. */
const EXPECTED: ReadonlySet<string> = new Set(['InputError', 'OutputError', 'TraceFormatError']);

/** Talk goes to stderr, one line, with the program's name in front. */
export function say(name: string, message: string): void {
  process.stderr.write(`${name}: ${printable(message)}\n`);
}

/** Writes data to stdout and waits until it is handed over. */
export async function writeOut(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error === undefined || error === null || isReaderGone(error)) resolve();
      else reject(error);
    });
  });
}
