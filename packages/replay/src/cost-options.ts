/** Which two rates the cost model starts from: `--smap` and `--calibrate`, before the trace is read. */
import { MAX_RATE, type RateChange } from '@vhostscope/model';
import { ProgramError, say } from '@vhostscope/terminal';

export interface CostOptions {
  /** Absent: what the trace's header says, else both. */
  readonly smap?: 'on' | 'off';
  /** Two rates, as typed. */
  readonly calibrate?: string;
  /** Architecture that the design is to run on. Absent: what the trace's header says. */
  readonly arch?: string;
}

export interface CostBasis {
  readonly smap: 'on' | 'off' | undefined;
  /** Where the design is to run, as uname has it; undefined where nobody says. */
  readonly arch?: string | undefined;
  /** The user's own measurement; takes the place of what was published. */
  readonly calibrated: RateChange | undefined;
}

/**
 * Rates by which maps are slower can have been measured, but are more likely to be the wrong way round: that is said.
 *
 * @throws ProgramError when --calibrate is not two rates
 */
export function readCostOptions({ smap, calibrate, arch }: CostOptions): CostBasis {
  return {
    smap,
    arch,
    calibrated: calibrate === undefined ? undefined : readCalibration(calibrate),
  };
}

const RATE = /^\d+(?:\.\d+)?$/;

function readCalibration(text: string): RateChange {
  const parts = text.split(',').map((part) => part.trim());
  const [before = 0, after = 0] = parts.map((part) => (RATE.test(part) ? Number(part) : 0));
  const isRate = (rate: number): boolean => rate > 0 && rate <= MAX_RATE;
  if (parts.length === 2 && isRate(before) && isRate(after)) {
    if (after < before)
      say(
        'replay',
        `--calibrate ${before},${after} says that maps are slower than copies: the first is the rate with every access copied`,
      );
    return { before, after };
  }
  throw new ProgramError(
    `--calibrate takes two rates in millions of packets per second, copying and mapped, not "${text}"`,
    { advice: 'for example --calibrate 5.2,6.4' },
  );
}
