/** The platform that a design is to run on: what the command line says, else what the trace tells. */
import { findArchitecture, ARCHITECTURES, type Platform, type RingMemory } from '@vhostscope/model';
import { EXIT, printable, ProgramError } from '@vhostscope/terminal';
import type { OpenTrace } from '@vhostscope/trace';

export interface PlatformOptions {
  readonly arch?: string;
  readonly highmem?: boolean;
  readonly iotlb?: boolean;
  readonly ringMemory?: RingMemory;
}

/**
 * @throws ProgramError for an architecture that is not known; one that only the trace names is none then
 */
export function platformOf(options: PlatformOptions, { index }: OpenTrace): Platform {
  const { arch, highmem, iotlb, ringMemory } = options;
  const architecture = findArchitecture(arch ?? index.header.host?.architecture ?? '');
  if (arch !== undefined && architecture === undefined)
    throw new ProgramError(`no architecture is called "${printable(arch)}"`, {
      advice: `those that are known: ${ARCHITECTURES.map(({ name }) => name).join(', ')}`,
      exitCode: EXIT.unusable,
    });
  return { architecture, highmem, deviceIotlb: iotlb, ringMemory };
}
