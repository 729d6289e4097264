/**
 * True executions of the direct-map kernel, from a seed: a small concurrent kernel whose trace is in
 * true global order. §: the reference of kernel rules (vhost-metadata.md).
 *
 * Times are strictly increasing within a CPU and never decrease in the list; two CPUs may tie.
 * `voluntary`: a thread leaves its CPU only where it sleeps: synchronize_rcu after a removed map,
 * waiting (mutex, unregister), a fault that reads, between rounds and between ranges. A worker keeps
 * its CPU during a round. `full`: anywhere, for long, and it may come back on another CPU.
 *
 * Left out: a register that fails (bug 3), and the end of a non-blockable range whose ring moved
 * since its start. In only with `resetWindow`: callbacks that take effect inside a reset (bug 10).
 */
import type { EventRecord } from './event-record.ts';
import type { RareCase } from './rare-cases.ts';
import { invalidator } from './simulated-invalidation.ts';
import { SimulatedKernel, type SimulationOptions } from './simulated-kernel.ts';
import { control } from './simulated-ioctls.ts';
import { PROCESS, type StockView } from './simulated-stock-view.ts';
import { pageWatcher, stockWorker } from './simulated-stock-host.ts';
import { worker } from './simulated-worker.ts';

export type { EventRecord } from './event-record.ts';
export type { SimulationOptions } from './simulated-kernel.ts';

export interface Simulation {
  /** In true global order, from `virtqueue` events on: what a perfect tracer would have written. */
  readonly events: EventRecord[];
  /**
   * What the other of the two designs would have decided at each `access` event, in the same world
   * (§3.3: a failed ioctl of a fixes-v5 kernel is taken not to have changed what merged records).
   */
  readonly otherDecisions: readonly number[];
  /** Likewise what designs with other rules would have decided, by name. */
  readonly counterfactuals: ReadonlyMap<string, readonly number[]>;
  /** The same execution as a stock host's recording shows it, with the truth; only when asked for. */
  readonly stock: StockView | undefined;
  /** The rare cases that happened. */
  readonly seen: ReadonlySet<RareCase>;
}

/** Runs the simulated kernel for `steps` steps. */
export function simulateKernel(options: SimulationOptions): Simulation {
  const kernel = new SimulatedKernel(options);
  const { random, scheduler } = kernel;
  let tid = PROCESS;
  for (const device of kernel.devices) {
    scheduler.spawn(PROCESS, 'vmm', (thread) => control(kernel, thread, device));
    for (const vq of device.virtqueues) {
      tid += 1;
      const body = options.stock === true ? stockWorker : worker;
      scheduler.spawn(tid, `vhost-${PROCESS}`, (thread) => body(kernel, thread, device, vq));
    }
  }
  // Threads of one process have one pid; with one comm they cannot be told apart in the trace.
  const comms = random.chance(0.5) ? ['chaos'] : ['chaos', 'chaos worker', 'vload\\x00'];
  for (let count = random.between(1, 3); count > 0; count--) {
    const pid = random.chance(0.9) ? PROCESS : 7; // 7: a kernel thread such as ksmd
    const comm = pid === 7 ? 'ksmd' : comms[count % comms.length];
    scheduler.spawn(pid, comm, (thread) => invalidator(kernel, thread));
  }
  if (options.stock === true) scheduler.spawn(1, 'collector', (t) => pageWatcher(kernel, t));
  const { events, otherDecisions, counterfactuals, seen, stock } = kernel;
  for (let step = 0; step < options.steps; step++) {
    if (stock?.isBegun === false && step >= (options.recordedFrom ?? 0) && kernel.isQuiet)
      stock.isBegun = true;
    scheduler.tick();
  }
  return { events, otherDecisions, counterfactuals, seen, stock };
}
