/** The platform that a design is to run on: what the command line says, else what the trace tells. */
import {
  ARCHITECTURES,
  findArchitecture,
  PAGE_BYTES,
  type Platform,
  type RingMemory,
} from '@vhostscope/model';
import { EXIT, printable, ProgramError } from '@vhostscope/terminal';
import type { OpenTrace } from '@vhostscope/trace';

export interface PlatformOptions {
  readonly arch?: string;
  /** Bytes, as given. */
  readonly pageSize?: string;
  readonly highmem?: boolean;
  readonly iotlb?: boolean;
  readonly ringMemory?: RingMemory;
}

/**
 * @throws ProgramError for an architecture that is not known; one that only the trace names is none then
 */
export function platformOf(
  options: PlatformOptions,
  { index }: Pick<OpenTrace, 'index'>,
): Platform {
  checkPlatform(options);
  const { arch, highmem, iotlb, ringMemory } = options;
  const architecture = findArchitecture(arch ?? index.header.host?.architecture ?? '');
  return { architecture, highmem, deviceIotlb: iotlb, ringMemory };
}

/** @throws ProgramError for what can be known to be wrong before a trace is read */
export function checkPlatform(options: PlatformOptions): void {
  const { arch } = options;
  if (arch !== undefined && findArchitecture(arch) === undefined)
    throw new ProgramError(`no architecture is called "${printable(arch)}"`, {
      advice: `those that are known: ${ARCHITECTURES.map(({ name }) => name).join(', ')}`,
      exitCode: EXIT.unusable,
    });
  pageBytesOf(options);
}

/**
 * Page size of the host that a design is to run on, in bytes; recorded hosts have pages of 4 kB.
 *
 * @throws ProgramError for what is no page size
 */
export function pageBytesOf({ pageSize }: PlatformOptions): number {
  if (pageSize === undefined) return PAGE_BYTES;
  const [, digits, unit] = /^(\d{1,6})([kK]?)$/.exec(pageSize) ?? [];
  const bytes = Number(digits) * (unit === '' ? 1 : 1024);
  if (PAGE_SIZES.includes(bytes)) return bytes;
  throw new ProgramError(`--page-size is no page size: "${printable(pageSize)}"`, {
    advice: `one of ${PAGE_SIZES.map((one) => `${one / 1024}k`).join(', ')}`,
    exitCode: EXIT.unusable,
  });
}

/** Base pages of Linux; smaller than those that were recorded there are none. */
const PAGE_SIZES: readonly number[] = [PAGE_BYTES, 16_384, 65_536];
