/**
 * Reads the kernel stacks that the program prints, each once: who invalidates. bpftrace resolves the
 * addresses, and no address goes on from here: they would defeat KASLR.
 */
import { classOfStack, type InvalidationClass } from '@vhostscope/model';

export interface KernelStack {
  /** As the ranges name it; the time at which it was first seen, ns. */
  readonly id: bigint;
  readonly cpu: number;
  /** Names of functions, innermost first; `?` where there is none. */
  readonly functions: readonly string[];
  readonly class: InvalidationClass;
}

export interface StackReader {
  /**
   * Takes a line of text that is no event.
   *
   * @returns whether it is of a stack
   */
  hear(text: string): boolean;
}

const FIRST_LINE = /^stack (\d{1,19}) (\d{1,4})$/;
const LAST_LINE = 'stack end';
/** Name of a function and the place in it; a bare address has no name, nor has `<unwind failure>`. */
const FRAME = /^ {2,}(?:([A-Za-z_][\w.$]{0,127})\+(?:0x)?[\da-f]+(?: .{0,200})?|.{1,200})$/;
/** More than the program asks for. */
const MOST_FRAMES = 64;

/** @param tell gets every stack that arrives whole */
export function createStackReader(tell: (stack: KernelStack) => void): StackReader {
  let open: { id: bigint; cpu: number; functions: string[] } | undefined;
  return {
    hear: (text) => {
      const first = FIRST_LINE.exec(text);
      if (first !== null) {
        open = { id: BigInt(first[1] ?? 0), cpu: Number(first[2]), functions: [] };
        return true;
      }
      if (open === undefined) return false;
      if (text === LAST_LINE) {
        const { functions } = open;
        // One is printed at the start, for the sake of printing one.
        if (open.id > 0n) tell({ ...open, class: classOfStack(functions) });
        open = undefined;
        return true;
      }
      const frame = FRAME.exec(text);
      if (frame === null || open.functions.length === MOST_FRAMES) {
        // Not whole: its class could be wrong.
        open = undefined;
        return frame !== null;
      }
      open.functions.push(frame[1] ?? '?');
      return true;
    },
  };
}
