/**
 * Which class of invalidation each kernel stack of a recording makes. A stack is told once, on one CPU: ranges
 * of others may come before it.
 */
import { INVALIDATION_CLASSES, KIND } from '@vhostscope/model';
import { visitRecording, type OpenTrace } from '@vhostscope/trace';

/** By recording, then by number of the stack. */
export type StackClasses = readonly ReadonlyMap<bigint, string>[];

export function stackClassesOf({ fd, index }: OpenTrace): StackClasses {
  return index.recordings.map((recording) => {
    const classes = new Map<bigint, string>();
    visitRecording(fd, recording, ({ kind, detail, details }, from, to) => {
      for (let i = from; i < to; i++) {
        if (kind[i] !== KIND.stack) continue;
        const at = detail[i] ?? 0;
        const stack =
          (BigInt(details.stack[2 * at + 1] ?? 0) << 32n) | BigInt(details.stack[2 * at] ?? 0);
        const name = INVALIDATION_CLASSES[details.class[at] ?? 0];
        if (name !== undefined && name !== 'unknown') classes.set(stack, name);
      }
    });
    return classes;
  });
}
