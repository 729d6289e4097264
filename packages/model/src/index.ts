/** The vocabulary of vhost ring events, and the model of direct-mapped ring metadata. */
export * from './events.ts';
export * from './event-batch.ts';
export * from './event-lines.ts';
export * from './ring.ts';
export * from './outcome.ts';
export { DESIGNS, findDesign, type Design } from './designs.ts';
export { createEngine, type Engine, type EngineOptions } from './replay-engine.ts';
export type { Mismatch, Order } from './engine-state.ts';
export type { Preemption } from './callbacks.ts';
export type { HistoryEntry } from './history.ts';
export { accessIndex, type Comparison, type Tallies } from './tallies.ts';
