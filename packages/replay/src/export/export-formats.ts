/** The formats of `replay export`. */
export const FORMATS = ['ndjson', 'perfetto', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

/** Endings of names, and the formats that they are of. */
const ENDINGS: readonly (readonly [RegExp, Format])[] = [
  [/\.(ndjson|jsonl)$/, 'ndjson'],
  [/\.(pftrace|perfetto-trace|perfetto)$/, 'perfetto'],
  [/\.parquet$/, 'parquet'],
];

/** The format that the name of a file tells; undefined when it tells none. */
export function formatOfName(name: string): Format | undefined {
  return ENDINGS.find(([ending]) => ending.test(name))?.[1];
}

/** Nothing that a terminal can show. */
export function isBinary(format: Format): boolean {
  return !TEXTS.includes(format);
}

const TEXTS: readonly Format[] = ['ndjson'];
