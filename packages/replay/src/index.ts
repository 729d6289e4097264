/** What `replay` answers, for those who ask while a trace goes on: by the same rules, from the same code. */
export { readDesignFile } from './design-file.js';
export { chosenDesign, type DesignOptions } from './chosen-designs.js';
export { completenessOf, type Completeness } from './completeness.js';
export { costFrom, withHost, type Cost } from './cost-result.js';
export { readCostOptions, type CostBasis, type CostOptions } from './cost-options.js';
export { findStorms, readStormRate, sampleStorm } from './find-storms.js';
export { describedVirtqueue, inAddressOrder, type VirtqueueDescription } from './recording-list.js';
export { recordingAssumptions } from './recording-assumptions.js';
export { planReplay, type ReplayOptions, type ReplayPlan } from './replay-plan.js';
export { assumedOf } from './stock-assumptions.js';
export { causesOf, classesOf, processesOf, transmittedIn } from './storms-result.js';
export { extentOf, readTimeArgument, resolveTime } from './time-argument.js';
export { transmittingAmong } from './transmit-virtqueues.js';
export { replayTrace, engineOf, WRONG_COUNTS, type Replayed } from './replay-trace.js';
export { runResult, type RunResult } from './run-result.js';
export { stormsResult, type StormsResult } from './storms-result.js';
export { readSpanOptions } from './time-span.js';
export type { PlannedTrace } from './replayable-trace.js';
