/**
 * Times for people. They are cut and never rounded up, as percentages are: what is shown has passed, and the same
 * time is the same text wherever it stands. Bounds of what is not known are rounded up, or they would claim to know it
 * better.
 */
import { grouped } from './numbers.js';

/** Moment or span in ns → "12.345 s" */
export function seconds(ns: bigint | number): string {
  return signed(ns, (whole) => cut(whole, SECOND, 3, 's'));
}

/**
 * Length of time in ns, in the unit that suits it: "789 ns", "1.23 µs", "45.6 ms", "12.3 s", "1,234 s"
 *
 * @param micro what stands for µ, where the terminal has none
 * @param digits so many, and all before the point
 */
export function duration(ns: bigint | number, { micro = 'µ', digits = DIGITS } = {}): string {
  return signed(ns, (whole) => {
    const [unit, name] = unitOf(whole, micro);
    return cut(whole, unit, decimalsOf(whole, unit, digits), name);
  });
}

/** Bound of what is not known, in ns, as a length of time: "3 ns", "412 µs", "2.00 ms" of 1,999,999 ns */
export function uncertainty(ns: bigint, { micro = 'µ' } = {}): string {
  const [unit] = unitOf(ns, micro);
  const lastDigit = unit / 10n ** BigInt(Math.max(0, decimalsOf(ns, unit, DIGITS)));
  const step = lastDigit > 0n ? lastDigit : 1n;
  // A multiple of the last digit: nothing of it is cut, also where it has become one of the next unit.
  return duration(((ns + step - 1n) / step) * step, { micro });
}

const DIGITS = 3;

const SECOND = 1_000_000_000n;

function unitOf(ns: bigint, micro: string): readonly [ns: bigint, name: string] {
  if (ns < 1000n) return [1n, 'ns'];
  if (ns < 1_000_000n) return [1000n, `${micro}s`];
  return ns < SECOND ? [1_000_000n, 'ms'] : [SECOND, 's'];
}

/** Digits behind the point that are left of so many. */
function decimalsOf(ns: bigint, unit: bigint, digits: number): number {
  return digits - String(ns / unit).length;
}

function signed(ns: bigint | number, text: (whole: bigint) => string): string {
  if (typeof ns === 'number' && !Number.isFinite(ns)) return '?';
  const whole = BigInt(typeof ns === 'number' ? Math.trunc(ns) : ns);
  if (whole >= 0n) return text(whole);
  const cutOff = text(-whole);
  return /[1-9]/.test(cutOff) ? `-${cutOff}` : cutOff;
}

/** So many digits behind the point, none of a whole number of ns. */
function cut(ns: bigint, unit: bigint, wanted: number, name: string): string {
  const whole = grouped(ns / unit);
  const decimals = unit === 1n ? 0 : Math.max(0, wanted);
  if (decimals === 0) return `${whole} ${name}`;
  const part = ((ns % unit) * 10n ** BigInt(decimals)) / unit;
  return `${whole}.${String(part).padStart(decimals, '0')} ${name}`;
}
