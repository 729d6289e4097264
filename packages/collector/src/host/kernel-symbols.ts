/** Where functions of the kernel lie, by /proc/kallsyms. */

export interface WantedSymbol {
  readonly name: string;
  /** The module that has it, unless it is built in. */
  readonly module: string | undefined;
}

export interface KernelSymbol {
  readonly name: string;
  /** Undefined where it is built in. */
  readonly module: string | undefined;
  readonly address: bigint;
  /** Bytes up to the next symbol, or LONGEST_FUNCTION. */
  readonly bytes: number;
}

/** Longer ones are not looked through to their end. */
const LONGEST_FUNCTION = 1 << 16;

const ADDRESS = /^[0-9a-f]{16}(?= [a-zA-Z] )/gm;

/**
 * Finds functions. Of a name that is there twice, and cannot be told apart by its module, nothing is found.
 *
 * @param text "address type name [module]" a line
 */
export function findSymbols(text: string, wanted: readonly WantedSymbol[]): KernelSymbol[] {
  const found = wanted.flatMap(({ name, module }) => {
    const places = [...text.matchAll(lineOf(name))].filter(
      ([, , its]) => its === undefined || its === module,
    );
    const [[, address = '', its] = []] = places;
    // Addresses are zeros to those who may not see them.
    return places.length === 1 && !/^0+$/.test(address) ? [{ name, module: its, address }] : [];
  });
  const next = found.map(() => 'g');
  // All have as many digits, so that they compare as texts.
  for (const [address] of text.matchAll(ADDRESS))
    for (const [index, symbol] of found.entries())
      if (address > symbol.address && address < (next[index] ?? '')) next[index] = address;
  return found.map(({ name, module, address }, index) => {
    const first = BigInt(`0x${address}`);
    const end = next[index] ?? 'g';
    const bytes = end === 'g' ? LONGEST_FUNCTION : Number(BigInt(`0x${end}`) - first);
    return { name, module, address: first, bytes: Math.min(bytes, LONGEST_FUNCTION) };
  });
}

function lineOf(name: string): RegExp {
  return new RegExp(`^([0-9a-f]{16}) [tT] ${name}(?:\\t\\[(\\S+)\\])?$`, 'gm');
}
