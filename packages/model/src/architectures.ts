/** What an architecture means for a design (reference §6, §2.2). */
export interface Architecture {
  readonly name: string;
  /** Other names of it, as uname and Node have them. */
  readonly aliases: readonly string[];
  /**
   * ARCH_IMPLEMENTS_FLUSH_DCACHE_PAGE: the designs from the direct map on are not even compiled then, although
   * most of these define it for the coherence of instructions only.
   */
  readonly implementsFlushDcachePage: boolean;
  /** What is known of its caches where two addresses of one page meet; absent where nothing was discussed. */
  readonly caches?: CacheMaintenance;
}

/** Who cleans a page of user memory that the kernel reads or writes at another address. */
export interface CacheMaintenance {
  /** Data that is written at one address may not be seen at another before somebody flushes it. */
  readonly aliases: boolean;
  /** kunmap flushes the page itself. */
  readonly kunmapFlushes: boolean;
  /** copy_to_user_page flushes the page itself. */
  readonly copyToUserPageFlushes: boolean;
  /** Where this comes from. */
  readonly source: string;
}

const PLAIN = { aliases: [], implementsFlushDcachePage: false } as const;
const FLUSHES = { aliases: [], implementsFlushDcachePage: true } as const;

const DERIVED = 'derived from what the flush of that architecture is for; the thread does not say';

/** Of the tree of 6.12; the default of asm-generic is 0. */
export const ARCHITECTURES: readonly Architecture[] = [
  { ...PLAIN, name: 'x86', aliases: ['x86_64', 'x64', 'i386', 'i686', 'ia32'] },
  { ...PLAIN, name: 's390', aliases: ['s390x'] },
  { ...PLAIN, name: 'loongarch', aliases: ['loongarch64', 'loong64'] },
  {
    ...FLUSHES,
    name: 'arm64',
    aliases: ['aarch64'],
    caches: {
      aliases: false,
      kunmapFlushes: false,
      copyToUserPageFlushes: true,
      source: DERIVED,
    },
  },
  {
    ...FLUSHES,
    name: 'parisc',
    aliases: ['parisc64', 'hppa'],
    caches: {
      aliases: true,
      kunmapFlushes: true,
      copyToUserPageFlushes: true,
      source: 'Bottomley and Arcangeli, 12 to 14 Mar 2019, of kunmap; the rest is derived',
    },
  },
  {
    ...FLUSHES,
    name: 'sparc',
    aliases: ['sparc64'],
    caches: {
      aliases: true,
      kunmapFlushes: false,
      copyToUserPageFlushes: true,
      source: DERIVED,
    },
  },
  { ...FLUSHES, name: 'powerpc', aliases: ['ppc', 'ppc64', 'ppc64le'] },
  { ...FLUSHES, name: 'riscv', aliases: ['riscv32', 'riscv64'] },
  { ...FLUSHES, name: 'arm', aliases: ['armv6l', 'armv7l', 'armv8l'] },
  { ...FLUSHES, name: 'mips', aliases: ['mips64', 'mipsel', 'mips64el'] },
  { ...FLUSHES, name: 'openrisc' },
  { ...FLUSHES, name: 'sh', aliases: ['sh4'] },
  { ...FLUSHES, name: 'm68k' },
  { ...FLUSHES, name: 'nios2' },
  { ...FLUSHES, name: 'microblaze' },
  { ...FLUSHES, name: 'arc' },
  { ...FLUSHES, name: 'xtensa' },
];

/** The architecture of that name, or other name; undefined where none is known. */
export function findArchitecture(name: string): Architecture | undefined {
  return ARCHITECTURES.find((one) => one.name === name || one.aliases.includes(name));
}
