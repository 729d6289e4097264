/** Numbers for people. JSON output never goes through these. */

/** 1234567 → "1,234,567" */
export function grouped(value: number | bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

/** "99.99 %": rounded down, so that 100 % means all, and one hit in a million is not 0 when cut. "–" of nothing. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '–';
  // The product is exact, the quotient may be rounded up.
  const hundredths = Math.min(
    Math.floor((part * 10_000) / whole),
    part < whole ? 9999 : Number.POSITIVE_INFINITY,
  );
  if (part > 0 && hundredths === 0) return '<0.01 %';
  return `${(hundredths / 100).toFixed(2)} %`;
}

/** 1234567 → "1.2 MB" */
export function byteSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  // 999.95 would be printed as 1000.0.
  while (value >= (unit === 0 ? 1000 : 999.95) && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** One of a word or several: counted(2, 'line') → "2 lines", counted(2, 'access', 'accesses') */
export function counted(count: number | bigint, noun: string, plural = `${noun}s`): string {
  return `${grouped(count)} ${count === 1 || count === 1n ? noun : plural}`;
}
