import { readBuild, type ProgramBuild } from '@vhostscope/terminal';

/** What this program was built of. */
export function readOwnBuild(): ProgramBuild {
  // The folder of the package lies above both src and dist.
  return readBuild(new URL('../', import.meta.url));
}

export function readVersion(): string {
  return readOwnBuild().version;
}
