/** CPUs and threads of the simulated kernel. A thread is a generator; each step is one instant. */
import type { SeededRandom } from './seeded-random.ts';

/** Why a thread stops between two steps: it goes on, it sleeps (ns), or it waits for something. */
export type Pause = 'step' | { readonly sleep: number } | { readonly until: () => boolean };
export type Steps<Result = void> = Generator<Pause, Result, undefined>;

export class Thread {
  readonly pid: number;
  readonly comm: string;
  cpu: number;
  /** Keeps its CPU when it wakes up. */
  pinned = false;
  /** Asleep until this time, or until this holds; neither: ready or running. */
  wakeAt: bigint | undefined = undefined;
  wakeWhen: (() => boolean) | undefined = undefined;
  steps: Steps | undefined = undefined;

  constructor(pid: number, comm: string, cpu: number) {
    this.pid = pid;
    this.comm = comm;
    this.cpu = cpu;
  }
}

class Cpu {
  readonly id: number;
  running: Thread | undefined = undefined;
  lastEvent = 0n;

  constructor(id: number) {
    this.id = id;
  }
}

function isReady(thread: Thread, cpu: Cpu): boolean {
  return (
    thread.cpu === cpu.id &&
    thread.steps !== undefined &&
    thread.wakeAt === undefined &&
    thread.wakeWhen === undefined
  );
}

/** Time that passes before a step. */
const PASSING = [0n, 0n, 1n, 5n, 20n, 50n] as const;

export class Scheduler {
  now = 1_000n;
  private readonly random: SeededRandom;
  private readonly preempt: 'voluntary' | 'full';
  private readonly cpus: readonly Cpu[];
  private readonly threads: Thread[] = [];
  private readonly preemptShare: number;

  constructor(random: SeededRandom, cpus: number, preempt: 'voluntary' | 'full') {
    this.random = random;
    this.preempt = preempt;
    this.cpus = Array.from({ length: cpus }, (_, id) => new Cpu(id));
    this.preemptShare = random.pick([0.02, 0.1, 0.3]);
  }

  spawn(pid: number, comm: string, body: (thread: Thread) => Steps): void {
    const thread = new Thread(pid, comm, this.random.pick(this.cpus).id);
    thread.steps = body(thread);
    this.threads.push(thread);
  }

  /** The time of an event on this CPU: never back, and strictly later than the last one there. */
  stamp(cpuId: number): bigint {
    const cpu = this.cpus[cpuId];
    if (this.now <= cpu.lastEvent) this.now = cpu.lastEvent + 1n;
    cpu.lastEvent = this.now;
    return this.now;
  }

  /** One step of one thread on one CPU, or time passing until there is one to make. */
  tick(): void {
    this.now += this.random.pick(PASSING);
    this.wakeUp();
    const busy = this.cpus.filter((cpu) => cpu.running !== undefined || this.hasReady(cpu));
    if (busy.length === 0) {
      this.idle();
      return;
    }
    const cpu = this.random.pick(busy);
    if (this.preempt === 'full' && cpu.running !== undefined) {
      if (this.random.chance(this.preemptShare)) this.preemptRunning(cpu, cpu.running);
    }
    if (cpu.running === undefined) {
      const candidates = this.ready(cpu);
      if (candidates.length === 0) return;
      cpu.running = this.random.pick(candidates);
    }
    this.stepRunning(cpu, cpu.running);
  }

  private ready(cpu: Cpu): Thread[] {
    return this.threads.filter((thread) => isReady(thread, cpu));
  }

  private hasReady(cpu: Cpu): boolean {
    for (const thread of this.threads) if (isReady(thread, cpu)) return true;
    return false;
  }

  private wakeUp(): void {
    for (const thread of this.threads) {
      const slept = thread.wakeAt !== undefined && thread.wakeAt <= this.now;
      const waited = thread.wakeWhen !== undefined && thread.wakeWhen();
      if (!slept && !waited) continue;
      thread.wakeAt = undefined;
      thread.wakeWhen = undefined;
      if (!thread.pinned) thread.cpu = this.random.pick(this.cpus).id;
    }
  }

  private idle(): void {
    const wakes = this.threads.flatMap((thread) => thread.wakeAt ?? []);
    if (wakes.length === 0) throw new Error('deadlock: every thread waits for another one');
    this.now = wakes.reduce((least, wake) => (wake < least ? wake : least));
  }

  /** Full preemption: off the CPU at any instant, now and then for long. */
  private preemptRunning(cpu: Cpu, thread: Thread): void {
    cpu.running = undefined;
    const longest = this.random.pick([100, 2_000, 20_000]);
    thread.wakeAt = this.now + BigInt(this.random.between(1, longest));
  }

  private stepRunning(cpu: Cpu, thread: Thread): void {
    const { value: pause, done } = thread.steps!.next();
    if (done === true) {
      thread.steps = undefined;
      cpu.running = undefined;
    } else if (pause !== 'step') {
      cpu.running = undefined;
      if ('sleep' in pause) thread.wakeAt = this.now + BigInt(pause.sleep);
      else thread.wakeWhen = pause.until;
    }
  }
}
