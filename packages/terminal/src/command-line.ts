import { CommanderError, type Command } from 'commander';
import { EXIT } from './exit-codes.js';
import { printable } from './printable.js';

/**
 * Parses the command line of a program with its commands, and runs the one that it names. Usage errors
 * look like all others and point to the help.
 *
 * @returns the exit code where the command line was not one to run (an error, or a request for help);
 *   undefined when a command ran: its exit code is its own
 */
export async function runCommandLine(
  program: Command,
  argv: readonly string[],
): Promise<number | undefined> {
  setManners(program, program.name(), argv);
  try {
    await program.parseAsync(argv);
    return undefined;
  } catch (error) {
    // commander has said what is wrong, or printed what was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.unusable;
    throw error;
  }
}

/** Of a command and those below it; `path` is how it is called. */
function setManners(command: Command, path: string, argv: readonly string[]): void {
  const [program] = path.split(' ');
  command
    .exitOverride()
    .configureOutput({
      outputError: (text, write) =>
        write(withSafeWords(text, argv).replace(/^error: /, `${program}: `)),
    })
    .showHelpAfterError(`${program}: see \`${path} --help\``);
  for (const below of command.commands) setManners(below, `${path} ${below.name()}`, argv);
}

/** What commander says quotes the words of the command line, which may be names that others have given. */
function withSafeWords(text: string, argv: readonly string[]): string {
  let safe = text;
  // Of `--option=value` the value alone may be quoted.
  for (const word of argv.flatMap((whole) => [whole, whole.slice(whole.indexOf('=') + 1)]))
    if (word !== '') safe = safe.replaceAll(word, () => printable(word));
  return safe.split('\n').map(printable).join('\n');
}
