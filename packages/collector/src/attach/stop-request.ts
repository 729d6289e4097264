/** When a recording is to end: a signal, a time that is over, or somebody downstream who has enough. */
import { STOP_SIGNALS } from '@vhostscope/terminal';
import { SAME_REQUEST_MS } from '../stop-signals.js';
import { createDeferred } from './deferred.js';

export type StopReason =
  | { readonly why: 'signal'; readonly signal: NodeJS.Signals }
  /** So much later than it should be. */
  | { readonly why: 'duration'; readonly lateMs: number }
  | { readonly why: 'dashboard left' }
  | { readonly why: 'reader gone' };

export interface StopRequest {
  /** Resolves at the first request. */
  readonly requested: Promise<StopReason>;
  /** Resolves at a second signal: leave at once. */
  readonly again: Promise<void>;
  /** What was asked for; undefined while nothing was. */
  readonly reason: StopReason | undefined;
  request(reason: StopReason): void;
  /** Signals are again what they were. */
  release(): void;
}

/** Listens from now on. */
export function createStopRequest(): StopRequest {
  const first = createDeferred<StopReason>();
  const second = createDeferred();
  let reason: StopReason | undefined;
  let since = 0;
  function request(asked: StopReason): void {
    if (reason !== undefined) return;
    reason = asked;
    since = performance.now();
    first.resolve(asked);
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (reason !== undefined && performance.now() - since > SAME_REQUEST_MS) second.resolve();
    else request({ why: 'signal', signal });
  };
  for (const name of STOP_SIGNALS) process.on(name, onSignal);
  return {
    requested: first.promise,
    again: second.promise,
    get reason() {
      return reason;
    },
    request,
    release: () => {
      for (const name of STOP_SIGNALS) process.removeListener(name, onSignal);
    },
  };
}
