/** The output of a recording or an import that is published: a spool, and a file beside it where one is asked for. */
import { hostname } from 'node:os';
import type { HostClock, Publisher } from '@vhostscope/fleet';
import { byteSize, messageOf } from '@vhostscope/terminal';
import type { TraceOutput } from '@vhostscope/trace';
import type { z } from 'zod';
import type { TraceTarget } from '../attach/trace-target.js';
import type { PublishFlags } from './publish-flags.js';
import type { publishedSchema } from './published-schema.js';
import { unsentWords } from './unsent-words.js';

export type Published = z.infer<typeof publishedSchema>;

export interface Publishing {
  readonly target: TraceTarget;
  /** Bytes in the file beside it, where that was given up; undefined where it was not. */
  readonly copyBytes: number | undefined;
  /**
   * The trace is at its end, or given up: waits until the server has it, for as long as was asked for, or until
   * `signal`, and says what came of it.
   *
   * @returns undefined where nothing was recorded
   */
  finish(signal: AbortSignal): Promise<Published | undefined>;
  /** Does nothing the second time. */
  close(): Promise<void>;
}

export interface PublishingOptions {
  /** Says something to the user. */
  readonly tell: (words: string) => void;
  /** The clock of the times, where it is this host's. */
  readonly clock?: HostClock;
  /** Whether what makes the trace can wait where the spool is nearly full. */
  readonly canWait: boolean;
}

const DEFAULT_WAIT_MS = 30_000;

/** Who waits longer is told for what. */
const SLOW_MS = 2000;

function waitingWords(run: string, waitMs: number): string {
  return `${run}: waiting for the server to take the rest, ${waitMs / 1000} s at most; Ctrl-C leaves it in the spool`;
}

/**
 * @param beside the file that gets the same bytes, or a target that is none
 * @throws ProgramError, OutputError
 */
export async function openPublishing(
  flags: PublishFlags & { readonly publish: string },
  beside: TraceTarget,
  { tell, clock, canWait }: PublishingOptions,
): Promise<Publishing> {
  // Who does not publish does not load it.
  const fleet = await import('@vhostscope/fleet');
  const url = fleet.parseFleetUrl(flags.publish);
  const spool = flags.spool ?? fleet.defaultSpool();
  const publisher = await fleet.openPublisher({
    url,
    host: flags.publishAs ?? hostname(),
    spool,
    spoolMax: flags.spoolMax ?? fleet.DEFAULT_SPOOL_MAX,
    tell,
    clock,
    canWait,
  });
  let copyBytes: number | undefined;
  const output =
    beside.path === undefined
      ? publisher.output
      : withCopyBehind(publisher.output, beside.output, (error, bytes) => {
          copyBytes = bytes;
          tell(
            `${messageOf(error)}; what was written before can be read, and all goes to the spool`,
          );
        });
  return {
    target: publishedTarget(publisher, beside, output),
    get copyBytes() {
      return copyBytes;
    },
    finish: async (signal) => {
      if (!publisher.isBegun) return undefined;
      const wait = flags.publishWait ?? DEFAULT_WAIT_MS;
      const slow = setTimeout(() => tell(waitingWords(publisher.url, wait)), SLOW_MS);
      const result = await publisher.finish(wait, signal);
      clearTimeout(slow);
      const { bytes, acknowledgedBytes: acknowledged, isSent } = result;
      if (isSent) tell(`${result.url}: all ${byteSize(bytes)} are on the server`);
      else tell(unsentWords({ ...result, spool }, url.name, flags.spool !== undefined));
      return {
        url: result.url,
        host: result.host,
        run: result.run,
        bytes,
        acknowledged_bytes: acknowledged,
        sent: isSent,
        spool,
        trouble: result.trouble ?? null,
      };
    },
    close: () => publisher.close(),
  };
}

function publishedTarget(
  publisher: Publisher,
  beside: TraceTarget,
  output: TraceOutput,
): TraceTarget {
  return {
    path: beside.path,
    name: [publisher.url, beside.name].filter((name) => name !== undefined).join(' and '),
    output,
    get isNamed() {
      return beside.isNamed;
    },
    get stays() {
      return publisher.isBegun;
    },
    begin: () => {
      publisher.begin();
      beside.begin();
    },
    close: () => beside.close(),
  };
}

/**
 * What is whole in an output goes to another, too, so that both hold the same. One that refuses it is left alone from
 * then on.
 */
export function withCopyBehind(
  output: TraceOutput,
  copy: TraceOutput,
  onFailure: (error: unknown, bytes: number) => void,
): TraceOutput {
  let isBroken = false;
  /** It ends behind the last that is whole in it. */
  let isCutBack = false;
  let bytesWritten = 0;
  const fail = (error: unknown): void => {
    if (isBroken) return;
    isBroken = true;
    onFailure(error, bytesWritten);
  };
  const settleCopy = async (): Promise<void> => {
    if (isCutBack) return;
    try {
      await copy.settle();
    } catch (error) {
      fail(error);
    }
    if (!isBroken) return;
    isCutBack = true;
    copy.cutBack(0);
  };
  return {
    ...output,
    append: (parts, bytes, fate) =>
      output.append(parts, bytes, {
        ...fate,
        onWritten: () => {
          try {
            // Its memory is the writer's again when this returns.
            if (!isBroken)
              copy.append([Buffer.concat(parts, bytes)], bytes, {
                onWritten: () => (bytesWritten += bytes),
              });
          } catch (error) {
            fail(error);
          }
          fate?.onWritten?.();
        },
      }),
    keepPace: () => output.keepPace() ?? (isBroken ? undefined : copy.keepPace()),
    settle: async () => {
      await output.settle();
      await settleCopy();
    },
    abandon: async () => {
      await output.abandon();
      await settleCopy();
    },
  };
}
