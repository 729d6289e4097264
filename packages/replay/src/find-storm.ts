/** Where a storm is, by its number: what `storm:2` stands for. */
import type { OpenTrace } from '@vhostscope/trace';
import type { FindStorm } from './time-argument.js';

export function findStorm(trace: OpenTrace): FindStorm {
  return (storm) => {
    throw new Error(`${trace.name} ${storm}`);
  };
}
