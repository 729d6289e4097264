/**
 * What the parser delivers: one flat record per message, discriminated by `type`.
 *
 * Every version of bpftrace is normalised to these shapes. Counts and bucket bounds are `bigint`
 * throughout; values of maps are {@link Value}, where an integer is a `number` when a double holds
 * it exactly and a `bigint` when not.
 */

/** A value that a bpftrace program printed. Integers beyond 2^53 are `bigint`, and exact. */
export type Value = number | bigint | string | boolean | null | readonly Value[] | StructValue;

/** A C struct or a named record, its fields in printed order. */
export type StructValue = ReadonlyMap<string, Value>;

interface Located {
  /** 1-based number of the input line on which the message began. */
  readonly line: number;
}

/** Output of `printf()`, as JSON carries it: any part of a line, or several. */
export interface PrintfMessage extends Located {
  readonly type: 'printf';
  readonly data: string;
}

/**
 * A line of text output that is nothing else known, without its LF. In text mode the output of
 * `printf()`, `time()`, `cat()`, `join()` and `print()` cannot be told apart and all arrives so.
 */
export interface TextMessage extends Located {
  readonly type: 'text';
  readonly text: string;
}

/** Output of `time()`, `cat()`, `join()` or `system()`; JSON only. */
export interface OutputMessage extends Located {
  readonly type: 'time' | 'cat' | 'join' | 'syscall';
  readonly data: string;
}

/**
 * How many probes: up to 0.23 printed before attaching, so not a sign of readiness; from 0.24
 * after it, with the true number.
 */
export interface AttachedProbesMessage extends Located {
  readonly type: 'attached_probes';
  readonly probes: number;
  /** As in {@link LostEventsMessage}. */
  readonly suspect?: true;
}

/** `__BPFTRACE_NOTIFY_PROBES_ATTACHED`: all probes are attached, in every version. */
export interface ProbesReadyMessage extends Located {
  readonly type: 'probes_ready';
}

/** `No probes to attach`: bpftrace is about to exit with status 1. */
export interface NoProbesMessage extends Located {
  readonly type: 'no_probes';
}

/** Events lost since the message before: deltas, to be summed. */
export interface LostEventsMessage extends Located {
  readonly type: 'lost_events';
  readonly events: bigint;
  /** Set when the record carried text where the number stands (watchpoints, up to 0.23). */
  readonly text?: string;
  /** True when 0.24+ may have printed the number in hexadecimal; see the quirk `sticky-hex`. */
  readonly suspect?: true;
}

/** Events lost over the whole run, printed at exit from 0.24. Not to be added to the deltas. */
export interface LostTotalMessage extends Located {
  readonly type: 'lost_total';
  readonly events: bigint;
}

/** Key and value of one element of a keyed map; the parts of a key are joined and not escaped. */
export interface Entry<V> {
  readonly key: string;
  readonly value: V;
}

interface Scalar<V> {
  readonly keyed: false;
  readonly value: V;
}

interface Keyed<V> {
  readonly keyed: true;
  /** In printed order; two entries may show the same key. */
  readonly entries: readonly Entry<V>[];
}

type Named<V> = Located & { /** With the `@`. */ readonly name: string } & (Scalar<V> | Keyed<V>);

/** A map's contents. In text mode every entry of a keyed map is a message of its own. */
export type MapMessage = { readonly type: 'map' } & Named<Value>;

/** One bucket of a histogram. */
export interface Bucket {
  /** Inclusive; null when there is no lower bound. */
  readonly min: bigint | null;
  /** Inclusive, in text mode too, which prints the exclusive bound; null when there is none. */
  readonly max: bigint | null;
  readonly count: bigint;
}

/** Output of `hist()` or `lhist()`, from the first bucket that is not empty to the last. */
export type HistMessage = {
  readonly type: 'hist';
  /** False when the block of a text-mode histogram was not closed by its blank line. */
  readonly complete: boolean;
  /** As in {@link LostEventsMessage}; said of the counts. */
  readonly suspect?: true;
} & Named<readonly Bucket[]>;

/** Output of `stats()` or `avg()`; `avg()` prints the average alone. */
export interface Stats {
  readonly count: bigint | null;
  readonly average: bigint;
  readonly total: bigint | null;
}

/** Contents of a `stats()` map, or of an `avg()` map in JSON (in text it looks like a map). */
export type StatsMessage = { readonly type: 'stats' } & Named<Stats>;

/** One point of a `tseries()`. */
export interface Sample {
  /** Local time, as printed: with `T` or a blank behind the date. */
  readonly intervalStart: string;
  readonly value: Value;
}

/** Contents of a `tseries()` map; JSON only, 0.24 and later. */
export type TseriesMessage = { readonly type: 'tseries' } & Named<readonly Sample[]>;

/** Output of `print()` of something that is not a map; JSON only. */
export interface ValueMessage extends Located {
  readonly type: 'value';
  readonly value: Value;
}

/** A place in the bpftrace program. */
export interface ScriptLocation {
  readonly file?: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based; absent where bpftrace names whole lines. */
  readonly column?: number;
}

/** A BPF helper failed in the kernel. */
export interface HelperErrorMessage extends Located {
  readonly type: 'helper_error';
  readonly helper: string;
  /** Negated errno, or another return value of the helper. */
  readonly retcode: number;
  readonly message?: string;
  readonly at?: ScriptLocation;
  /** The source line that text mode shows below. */
  readonly source?: string;
}

/** A message of the program's own: `errorf()`, `warnf()`; or a failed check, `runtime_error`. */
export interface ScriptErrorMessage extends Located {
  readonly type: 'runtime_error' | 'errorf' | 'warnf';
  readonly message: string;
  readonly at?: ScriptLocation;
}

/** Severity of a log line; `LIBRARY` is a line of libbpf or libbcc, which name none. */
export type LogLevel = 'FATAL' | 'ERROR' | 'BUG' | 'WARNING' | 'HINT' | 'INFO' | 'LIBRARY';

/** A diagnostic. None means failure by itself: only bpftrace's exit status does. */
export interface LogMessage extends Located {
  readonly type: 'log';
  readonly level: LogLevel;
  readonly text: string;
  readonly at?: ScriptLocation;
  readonly source?: string;
  /** The probe that could not be attached, where the text says so. */
  readonly probe?: string;
}

/** What `-v` mixes into the output: program ids, the verifier's log, probes being attached. */
export interface VerboseMessage extends Located {
  readonly type: 'verbose';
  readonly text: string;
}

/** The input ended within this line; it may have been cut, so it was not interpreted. */
export interface TruncatedMessage extends Located {
  readonly type: 'truncated';
  readonly text: string;
  /** Length of the rest in bytes. */
  readonly bytes: number;
}

/**
 * A line that was not delivered. `overlong`: longer than `maxLineBytes`, and dropped. `syntax`: it
 * began as JSON and is not, even after repair. `shape`: a known type with unknown contents.
 */
export interface RejectedMessage extends Located {
  readonly type: 'rejected';
  readonly reason: 'overlong' | 'syntax' | 'shape';
  /** The line; empty when overlong. */
  readonly raw: string;
  /** Length of the line in bytes, without its LF. */
  readonly bytes: number;
}

/** A JSON record whose type this parser does not know, verbatim. */
export interface UnknownMessage extends Located {
  readonly type: 'unknown';
  readonly jsonType: string;
  readonly raw: string;
}

/** Anything the parser delivers. */
export type Message =
  | PrintfMessage
  | TextMessage
  | OutputMessage
  | AttachedProbesMessage
  | ProbesReadyMessage
  | NoProbesMessage
  | LostEventsMessage
  | LostTotalMessage
  | MapMessage
  | HistMessage
  | StatsMessage
  | TseriesMessage
  | ValueMessage
  | HelperErrorMessage
  | ScriptErrorMessage
  | LogMessage
  | VerboseMessage
  | TruncatedMessage
  | RejectedMessage
  | UnknownMessage;

/** The discriminator of {@link Message}. */
export type MessageType = Message['type'];

type WithoutLine<M> = M extends Message ? Omit<M, 'line'> : never;

/**
 * A message before the parser has numbered it.
 *
 * @internal
 */
export type MessageBody = WithoutLine<Message>;
