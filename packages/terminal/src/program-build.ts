/** What a program knows of its own making: nothing is asked of git when it runs. */
import { readFileSync } from 'node:fs';

export interface ProgramBuild {
  readonly version: string;
  /** What it was built of, in git's words; undefined where that is not known. */
  readonly commit: string | undefined;
}

/**
 * The build of a program, as the files in its package's folder tell it: `package.json`, and `dist/build.json`, which
 * the build leaves there and a packed archive carries along.
 *
 * @param folder of the package, with a slash at its end
 */
export function readBuild(folder: URL): ProgramBuild {
  const { version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as {
    version: string;
  };
  return { version, commit: commitIn(new URL('dist/build.json', folder)) };
}

function commitIn(note: URL): string | undefined {
  try {
    const { commit } = JSON.parse(readFileSync(note, 'utf8')) as { commit?: unknown };
    return typeof commit === 'string' ? commit : undefined;
  } catch {
    // Built by hand, or not in a checkout.
    return undefined;
  }
}

/** What `--version` prints. The version comes first, and nothing else of it has a blank in it. */
export function versionLine({ version, commit }: ProgramBuild, formatVersion: number): string {
  return `${version} (trace format ${formatVersion}, commit ${commit ?? 'not known'})`;
}
