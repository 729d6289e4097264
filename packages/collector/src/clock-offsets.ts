/** `--offset FILE=TIME`: how far the clocks of merged files are from one another. */
import { basename } from 'node:path';
import { ProgramError } from '@vhostscope/terminal';

const DIGITS: Readonly<Record<string, number>> = { ns: 0, us: 3, µs: 3, ms: 6, s: 9 };
const TIME = /^([+-]?)(\d{1,18})(?:\.(\d{1,9}))?(ns|us|µs|ms|s)$/;

/**
 * ns by file.
 *
 * @param options as they were typed
 * @param files those that there are
 */
export function readOffsets(
  options: readonly string[],
  files: readonly string[],
): ReadonlyMap<string, bigint> {
  const offsets = new Map<string, bigint>();
  for (const option of options) {
    const at = option.lastIndexOf('=');
    const named = option.slice(0, Math.max(0, at));
    if (at <= 0)
      throw new ProgramError(`--offset takes FILE=TIME, not "${option}"`, {
        advice: 'for example --offset b.txt=+1.5ms',
      });
    const file = fileNamed(named, files);
    if (offsets.has(file)) throw new ProgramError(`--offset says two things of ${file}`);
    offsets.set(file, readOffset(option.slice(at + 1)));
  }
  return offsets;
}

/** As it was typed among the files, or by its name alone, where that is of one of them. */
function fileNamed(named: string, files: readonly string[]): string {
  if (files.includes(named)) return named;
  const [file, other] = files.filter((one) => basename(one) === named);
  if (file !== undefined && other === undefined) return file;
  throw new ProgramError(
    other === undefined
      ? `--offset is of ${named}, which is none of the files`
      : `--offset is of ${named}, which is the name of several files`,
    { advice: `they are ${files.join(', ')}` },
  );
}

function readOffset(text: string): bigint {
  if (/^[+-]?0$/.test(text)) return 0n;
  const [, sign, whole = '', fraction = '', unit = ''] = TIME.exec(text) ?? [];
  const digits = DIGITS[unit];
  if (digits === undefined)
    throw new ProgramError(`an offset is a time such as +1.5ms, -2s or 0, not "${text}"`);
  if (fraction.length > digits)
    throw new ProgramError(`an offset is whole nanoseconds, and ${text} is not`);
  const ns = BigInt(whole + fraction.padEnd(digits, '0'));
  return sign === '-' ? -ns : ns;
}
