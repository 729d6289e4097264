import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** What {@link run} writes to: the part of a stream that it uses. */
export interface Output {
  write(text: string): unknown;
}

const HELP = `Usage: tui [options] [TRACE]

Terminal dashboard over a trace. It is not built yet: \`replay run TRACE\` shows a trace as text.

Options:
  -h, --help     show this text
  -V, --version  show the version
`;

/**
 * Runs the program.
 *
 * @param args - the arguments after the program's name
 * @param out - takes what was asked for
 * @param err - takes the talk
 * @returns the exit code: 0 done, 2 usage or cannot be done
 */
export function run(args: string[], out: Output, err: Output): number {
  let values: { help?: boolean; version?: boolean };
  try {
    ({ values } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'V' },
      },
    }));
  } catch (error) {
    // parseArgs throws only TypeErrors whose first sentence names the argument.
    err.write(`tui: ${(error as Error).message.split('. ')[0]}; see \`tui --help\`\n`);
    return 2;
  }
  if (values.help) {
    out.write(HELP);
    return 0;
  }
  if (values.version) {
    out.write(`${readVersion()}\n`);
    return 0;
  }
  err.write(
    'tui: the dashboard is not built yet; `replay run TRACE` shows a trace as text meanwhile\n',
  );
  return 2;
}

function readVersion(): string {
  // package.json lies beside both src and dist.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
