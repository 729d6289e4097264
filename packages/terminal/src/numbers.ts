/** Numbers for people. JSON output never goes through these. */

/** 1234567 → "1,234,567" */
export function grouped(value: number | bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

/** "99.99 %": rounded down, so that 100 % means all, and one hit in a million is not 0 when cut. "–" of nothing. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '–';
  const hundredths = Math.floor((part / whole) * 10_000);
  if (part > 0 && hundredths === 0) return '<0.01 %';
  return `${(hundredths / 100).toFixed(2)} %`;
}

/** Time span in ns → "12.345 s" */
export function seconds(ns: bigint): string {
  const ms = Number(ns / 1_000_000n);
  return `${(ms / 1000).toFixed(3)} s`;
}

/** 1234567 → "1.2 MB" */
export function byteSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** One of a word or several: counted(2, 'line') → "2 lines" */
export function counted(count: number | bigint, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 || count === 1n ? '' : 's'}`;
}
