/** Seconds as a result holds them, for people. */
import { seconds } from '@vhostscope/terminal/text';

/** @param told of whole ns, which the number of seconds may miss by a little */
export function toldSeconds(told: number): string {
  return seconds(Math.round(told * 1e9));
}
