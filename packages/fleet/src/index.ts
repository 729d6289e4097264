/** Runs of many hosts on a NATS server: published through a spool, listed, read back. */
export {
  isFleetUrl,
  parseFleetUrl,
  parseServerUrl,
  urlOfRun,
  type FleetUrl,
  type RunName,
} from './fleet-url.js';
export {
  openPublisher,
  type Publisher,
  type PublishOptions,
  type PublishResult,
} from './publish-run.js';
export {
  openFleet,
  type Fleet,
  type FleetUsage,
  type ReadRunOptions,
  type RunReading,
  type RunReadResult,
} from './read-fleet.js';
export type { FleetRun, WatchedRun } from './fleet-run.js';
export { chosenRun, namedRuns } from './chosen-run.js';
export { jobId, KEEP_EVERY_MS, openJobQueue, type JobQueue, type TakenJob } from './job-queue.js';
export { openRunTrace } from './open-run-trace.js';
export type { ClockReading, HostClock } from './run-clock.js';
export { initStream, type StreamState, type StreamWishes } from './run-stream.js';
export { sendLeftRuns, type LeftRunResult, type LeftRuns } from './send-left-runs.js';
export { connectFleet, FleetError, type FleetServer } from './server-connection.js';
export { openServerLink, type ServerLink } from './server-link.js';
export type { RunWatch } from './watch-runs.js';
export { DEFAULT_SPOOL_MAX, defaultSpool, openSpoolFolder } from './spool-folder.js';
