/** The files that an import reads, and how the one is called that it writes. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { ProgramError } from '@vhostscope/terminal';
import { InputError, reasonOf } from '@vhostscope/trace';
import { checkPublishFlags, type PublishFlags } from './fleet/publish-flags.js';

/** What an output is called in messages. */
export function nameOf(output: string): string {
  return output === '-' ? 'standard output' : output;
}

/**
 * Where an import writes; undefined where it is published only. Everything that can be known to fail is found before the output is touched.
 *
 * @throws ProgramError, InputError
 */
export function chosenOutput(
  files: readonly string[],
  options: PublishFlags & { readonly output?: string; readonly json?: boolean },
): string | undefined {
  checkPublishFlags(options);
  const output =
    options.output ?? (options.publish === undefined ? defaultOutput(files) : undefined);
  if (output === '-' && options.json === true)
    throw new ProgramError('-o - and --json both want standard output', {
      advice: 'write the trace to a file: -o trace.arrows',
    });
  checkInputs(files, output);
  return output;
}

/** The first input's name without its endings, in the current folder. */
function defaultOutput([first = '-']: readonly string[]): string {
  if (first === '-') return 'trace.arrows';
  return `${basename(first)
    .replace(/\.gz$/, '')
    .replace(/\.(txt|log|json|ndjson|out)$/, '')}.arrows`;
}

function checkInputs(files: readonly string[], output: string | undefined): void {
  if (files.filter((file) => file === '-').length > 1)
    throw new ProgramError('standard input can be read only once');
  for (const file of files) {
    if (file === '-') continue;
    const input = inputStatus(file);
    if (input.isDirectory()) throw new InputError(`cannot read ${file}: is a directory`);
    if (output !== undefined && isSameFile(input, output)) {
      throw new ProgramError(`${output} is an input and the output`, {
        advice: 'name another output with -o',
      });
    }
  }
}

function inputStatus(file: string): ReturnType<typeof statSync> & object {
  try {
    return statSync(file);
  } catch (error) {
    throw new InputError(`cannot read ${file}: ${reasonOf(error)}`);
  }
}

function isSameFile(input: { ino: unknown; dev: unknown }, output: string): boolean {
  try {
    const existing = statSync(output);
    return existing.ino === input.ino && existing.dev === input.dev;
  } catch {
    // There is no such file yet, or none that could be written: openOutput says which.
    return false;
  }
}
