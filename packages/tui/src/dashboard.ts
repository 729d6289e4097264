/**
 * What the dashboard shows at one moment, and what it can be told: the one contract between the session, which
 * makes the numbers, and the screen, which draws them. Plain data; names of the host are as recorded, and
 * whoever draws them makes them printable.
 *
 * Times are ns since the first event of the trace, as numbers (2^53 ns are 104 days), unless they say otherwise.
 */

/** Decisions on accesses. */
export interface Decided {
  readonly accesses: number;
  readonly hits: number;
  readonly fallbacks: number;
  readonly iotlb: number;
  readonly ambiguous: number;
  /** The counts may be other ones, as a stock host's rounds do not tell: shown with ≈. */
  readonly isEstimated: boolean;
}

/** Where the events come from, and how that goes. */
export interface SourceView {
  /** As the user named it: a path, `-`, a socket. */
  readonly name: string;
  readonly kind: 'socket' | 'pipe' | 'growing file' | 'file' | 'server';
  /**
   * `reading`: events come or may come; `ended`: the whole of a file, or a recorder that said so;
   * `gone`: a socket that closed without an end, is tried again; `waiting`: nobody listens yet, is tried again.
   */
  readonly state: 'waiting' | 'reading' | 'gone' | 'ended';
  /** What is wrong with it, in words, worst first: damage, losses, what could not be understood. */
  readonly problems: readonly string[];
  /** A growing source that is empty so far. */
  readonly isEmpty: boolean;
  /** Nothing goes on any more; why is the first of the problems. */
  readonly isStuck: boolean;
}

/** Where in the trace the screen stands. */
export interface ClockView {
  /** The moment that is shown: all events before it are in the numbers, and no other. As `--to` of `replay`. */
  readonly at: number;
  /** The last event that there is. */
  readonly end: number;
  /** Of `at`, ns of CLOCK_BOOTTIME, exact. */
  readonly boottime: bigint;
  readonly isPaused: boolean;
  /** It follows the newest event. */
  readonly isLive: boolean;
  /** What is newest comes faster than it is played. */
  readonly isLagging: boolean;
  /** While live: how far `at` is behind the newest event that has arrived, ns. A CPU may still tell earlier ones. */
  readonly behind: number;
  /** Seconds of the trace per second; `max` as fast as it goes. Of no matter while live. */
  readonly speed: number | 'max';
  /** A jump that is under way: how far, 0 to 1; undefined when none is. */
  readonly seeking: number | undefined;
  /**
   * Beyond this moment nothing is kept (--keep is used up): the screen can be there only as it comes, live;
   * undefined while all is kept.
   */
  readonly keptUntil: number | undefined;
  /** Events consumed. */
  readonly events: number;
}

export interface AreaView {
  /** What an access would become now. */
  readonly map: 'up' | 'down' | 'ambiguous' | 'unknown';
  /** Why it is not up, or ambiguous, in words; undefined when up. */
  readonly reason: string | undefined;
}

/** Of one design over one virtqueue. */
export interface VirtqueueJudgement {
  /** Of all the trace so far, and of the window before `at`. */
  readonly total: Decided;
  readonly window: Decided;
  /** desc, avail, used. */
  readonly areas: readonly AreaView[];
  /** Fallbacks in the window by reason, the most first. */
  readonly reasons: readonly (readonly [reason: string, accesses: number])[];
  /** invalidate_count; undefined where nothing bounds it. */
  readonly count: { readonly least: number | undefined; readonly most: number | undefined };
  /** Hits to hits and fallbacks by slice of the window, oldest first; NaN where nothing was decided. */
  readonly spark: readonly number[];
}

export interface VirtqueueView {
  readonly vq: number;
  readonly dev: number | undefined;
  /** What is known of the device's owner; undefined where nothing is. `comm` is empty where its name is not known. */
  readonly owner: { readonly pid: number; readonly comm: string } | undefined;
  /** Index in its device, and entries of its ring; undefined while not known. */
  readonly index: number | undefined;
  readonly num: number | undefined;
  readonly transmits: boolean;
  /** Per second, in the window; NaN where too little of it has passed. */
  readonly rates: {
    readonly rounds: number;
    readonly accesses: number;
    readonly heads: number;
    /** Ranges over its rings. */
    readonly overlapping: number;
  };
  /** Of the chosen design, and of the one beside it. */
  readonly chosen: VirtqueueJudgement;
  readonly beside: VirtqueueJudgement | undefined;
  /** Packets per second (millions) gained against copies; a span where answers are ambiguous. */
  readonly gained: readonly [least: number, most: number] | undefined;
}

export interface StormView {
  readonly number: number;
  readonly dev: number;
  /** Its first range. */
  readonly begin: number;
  /** The moment at which it was found to be a storm: there one sees it. */
  readonly from: number;
  readonly end: number;
  readonly isOver: boolean;
  readonly ranges: number;
  readonly by: readonly ('rate' | 'down')[];
  /** The most first. Class of the kernel stack where one was recorded, else the cause. */
  readonly causes: readonly (readonly [name: string, ranges: number])[];
  readonly processes: readonly {
    readonly pid: number;
    readonly comm: string;
    readonly ranges: number;
  }[];
  readonly virtqueues: readonly (readonly [vq: number, ranges: number])[];
  readonly decided: Decided;
  /** Packets per second (millions) lost in it, by the cost model. */
  readonly lost: readonly [least: number, most: number] | undefined;
  /** Ranges in each second of it, the last ones if there are many. */
  readonly perSecond: readonly number[];
}

/** Who invalidates. */
export interface CauseView {
  readonly cause: string;
  /** By the kernel stack; undefined where none was recorded. */
  readonly className: string | undefined;
  readonly pid: number;
  readonly comm: string;
  /** Ranges over rings, in all and in the window. */
  readonly ranges: number;
  readonly inWindow: number;
  /**
   * Fallbacks that came after one of its ranges and before the next range over the same virtqueue, or before the
   * round after the one in which a map was built again: its share of lost hits; ambiguous accesses are not in it.
   */
  readonly fallbacks: number;
}

/** An event of a virtqueue that people look for. */
export interface HappeningView {
  readonly at: number;
  /** Line of the input. */
  readonly line: number;
  readonly what: string;
}

/** The virtqueue that the screen is on. */
export interface QueueDetailView {
  readonly vq: number;
  /** By area, oldest first, of equal slices of the window: what its accesses would have become. */
  readonly timeline: readonly (readonly ('up' | 'down' | 'ambiguous' | 'none')[])[];
  readonly addresses: readonly { readonly first: bigint; readonly last: bigint }[];
  readonly callbacks: readonly string[];
  readonly ranges: readonly {
    readonly at: number;
    readonly start: bigint;
    readonly end: bigint;
    readonly cause: string;
    readonly className: string | undefined;
    readonly pid: number;
    readonly comm: string;
    /** ns; undefined while it is under way, and not known where its end may have been lost. */
    readonly lasted: number | 'not known' | undefined;
  }[];
  /** Attempts to map, in all, by what became of them. */
  readonly attempts: readonly (readonly [outcome: string, attempts: number])[];
  readonly accessors: readonly { readonly name: string; readonly decided: Decided }[];
  /** What no design changes, in all: the device IOTLB, and the log of dirty memory. None where both are off. */
  readonly hostWork: readonly (readonly [what: string, times: number])[];
  readonly history: readonly HappeningView[];
}

export interface RecordingView {
  /** Facts in pairs: kernel, design driver or stock, clock, preemption, detail, when, by what. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** What is probed how, and how sure that is. */
  readonly plan: readonly {
    readonly event: string;
    readonly way: string;
    readonly sureness: string;
  }[];
  readonly complete: 'yes' | 'no' | 'not known' | 'not known yet';
  readonly counts: readonly (readonly [event: string, count: number])[];
  readonly lost: readonly (readonly [what: string, count: number])[];
  readonly filtered: readonly (readonly [what: string, count: number])[];
  /** Events read and not yet shown as a CPU may still tell earlier ones; how far the slowest lags, ns. */
  readonly waiting: { readonly events: number; readonly lag: number };
  /** The source is text; what is kept to go back is a trace that was made of it. */
  readonly isText: boolean;
  /** Bytes kept to go back, and how many may be. */
  readonly kept: { readonly bytes: number; readonly most: number };
  /** Of this program: share of one CPU, bytes. */
  readonly own: { readonly cpu: number; readonly memory: number };
  readonly order: string;
  readonly assumptions: readonly string[];
}

export interface DashboardView {
  readonly source: SourceView;
  readonly clock: ClockView;
  /** What the numbers are of: another that was chosen stands here once all was played again. */
  readonly design: string;
  readonly beside: string | undefined;
  /** All that can be chosen. */
  readonly designs: readonly string[];
  /** Those that pin the pages of every ring, whatever their hits are. The same object all the time. */
  readonly pinning: readonly string[];
  /** Width of the window, ns. */
  readonly window: number;
  /** What was chosen last: the numbers are of it, or will be once all was played again. */
  readonly wanted: {
    readonly design: string;
    readonly beside: string | undefined;
    readonly window: number;
  };
  readonly total: VirtqueueJudgement;
  readonly besideTotal: VirtqueueJudgement | undefined;
  /** Per second in the window, over all virtqueues; NaN where too little of it has passed. */
  readonly rates: {
    readonly rounds: number;
    readonly accesses: number;
    readonly heads: number;
    readonly overlapping: number;
    /** Those over no ring, too; of a live recording the filter leaves most of them out. */
    readonly ranges: number;
  };
  readonly virtqueues: readonly VirtqueueView[];
  /** Newest first. */
  readonly storms: readonly StormView[];
  readonly causes: readonly CauseView[];
  readonly queue: QueueDetailView | undefined;
  readonly recording: RecordingView;
  /** Why no packets per second are told; undefined where they are. */
  readonly costReason: string | undefined;
  /** What the last command came to, for the screen to tell once: saved where, why not. */
  readonly answer:
    | { readonly number: number; readonly text: string; readonly isError: boolean }
    | undefined;
  /** The file that is being written, and how far that is, 0 to 1. */
  readonly saving: { readonly path: string; readonly progress: number } | undefined;
  /** What the last file came to that was to be written; the same object until another one was. */
  readonly saved: { readonly text: string; readonly isError: boolean } | undefined;
}

export type StepKind = 'event' | 'round' | 'invalidation' | 'storm';

export type Command =
  | { readonly do: 'pause' | 'play' | 'live' }
  | { readonly do: 'speed'; readonly speed: number | 'max' }
  | { readonly do: 'step'; readonly kind: StepKind; readonly by: 1 | -1 }
  /** ns since the first event. */
  | { readonly do: 'seek'; readonly at: number }
  | { readonly do: 'seek storm'; readonly number: number }
  | { readonly do: 'design' | 'beside'; readonly name: string | undefined }
  | { readonly do: 'window'; readonly ns: number }
  /** Which virtqueue `queue` tells of. */
  | { readonly do: 'look at'; readonly vq: number | undefined }
  /** What exists is not written over. */
  | { readonly do: 'save'; readonly path: string };

/** The one model behind the screen, whatever the source. */
export interface Session {
  /** The newest numbers; the same object until something has changed. Cheap. */
  view(): DashboardView;
  tell(command: Command): void;
  /**
   * Reads and replays for at most about `budget` ms, up to where the screen is to stand at `now` (ms, of a clock
   * that only goes on). Returns whether the view is another one.
   */
  advance(now: number, budget: number): boolean;
  /** Gives up what is being saved. */
  close(): Promise<void>;
  /** What was given up then, in words. */
  readonly unsaved: string | undefined;
}
