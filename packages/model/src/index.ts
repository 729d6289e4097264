/** The vocabulary of vhost ring events, and the model of direct-mapped ring metadata. */
export * from './event-fields.js';
export * from './events.js';
export {
  classOfStack,
  INVALIDATION_CLASSES,
  type InvalidationClass,
} from './invalidation-classes.js';
export {
  createInvalidationMakers,
  type InvalidationMaker,
  type InvalidationMakers,
  type MadeInvalidations,
} from './invalidation-makers.js';
export {
  createDeviceIotlbWatch,
  MISSED_OF,
  type DeviceIotlbFound,
  type DeviceIotlbWatch,
  type IotlbOfDevice,
  type IotlbOfVirtqueue,
  type MissStorm,
} from './device-iotlb.js';
export {
  ATOMICS_OF_BIT,
  createDirtyLogWatch,
  pinCalls,
  type DirtyLogged,
  type DirtyLogWatch,
} from './dirty-log.js';
export * from './event-batch.js';
export { readAccessRun } from './access-run.js';
export {
  createAccessRunMemory,
  createAddresses,
  findAddress,
  forgetAddresses,
  rememberAccessLine,
  rememberAddress,
  type AccessRunMemory,
} from './access-run-memory.js';
export * from './digit-words.js';
export { combine, HEX_DIGIT, readDecimal } from './exact-numbers.js';
export * from './event-line.js';
export * from './event-lines.js';
export * from './ring.js';
export * from './ring-word.js';
export * from './outcome.js';
export {
  DESIGNS,
  findDesign,
  mechanismOf,
  sharesCallbacks,
  type Design,
  type DesignSwitches,
  type PublishedRates,
  type RateChange,
} from './designs.js';
export {
  estimateRate,
  MAX_RATE,
  rateAt,
  type CountedDecisions,
  type RateEstimate,
  type RateSpan,
} from './cost-model.js';
export { ARCHITECTURES, findArchitecture, type Architecture } from './architectures.js';
export { onPlatform, RING_MEMORY, type Platform, type RingMemory } from './platform.js';
export { countCacheFlushes, type CacheFlushes } from './cache-maintenance.js';
export { createManyDesigns, type ManyDesigns } from './many-designs.js';
export { createEngine, type Engine, type EngineOptions } from './replay-engine.js';
export { rangeStartOf } from './told-ranges.js';
export { withTimeline, TIMELINE_LIMITS, type Timeline, type TimelineLimits } from './timeline.js';
export type { AreaSnapshot, CallbackSnapshot, VirtqueueSnapshot } from './inspect.js';
export type { HostKind, Mismatch, Order, RoundAccesses } from './engine-state.js';
export { DOUBT_MEANING } from './doubts.js';
export { derivedIndex, type DerivedTallies } from './stock-host/derived-tallies.js';
export { NO_DELAYS } from './stock-host/page-evidence.js';
export type { Delays } from './stock-host/page-evidence.js';
export type { Preemption } from './callbacks.js';
export type { HistoryEntry } from './history.js';
export { accessOutcomes, compareAccesses, type Comparison, type Tallies } from './tallies.js';
export {
  createAccessorAcceptor,
  type AcceptableAccess,
  type AcceptorOptions,
  type AcceptorState,
  type AccessorAcceptor,
  type Rejection,
} from './accessor-rules/accessor-acceptor.js';
export { createAccessCheck, type AccessCheck } from './access-check/access-check.js';
export type { AccessCheckOptions, NotJudged } from './access-check/check-state.js';
export type { CheckedVirtqueue } from './access-check/checked-virtqueue.js';
export type { RecentEvent } from './access-check/recent-events.js';
export type { RejectedEvent } from './access-check/rejected-events.js';
export type { KeptChain } from './access-check/unusual-chains.js';
export type { ChainHabit } from './accessor-rules/chain-lengths.js';
export {
  createRoundCounts,
  deriveRound,
  LONGEST_CHAIN,
  type EndedRound,
  type RoundCounts,
} from './accessor-rules/derive-round.js';
export { deriveAccesses } from './accessor-rules/derive-accesses.js';
export {
  createRingState,
  type Answer,
  type Derivation,
  type DerivedAccesses,
  type ExportedCall,
  type RingState,
} from './accessor-rules/exported-calls.js';
export {
  ACCESSOR_RULE_SETS,
  findAccessorRules,
  NEWEST_RULES,
  type AccessorRules,
} from './accessor-rules/rule-sets.js';
export {
  addSample,
  fallbacksOf,
  mapsBuilt,
  refusedByCountOf,
  sampleVirtqueue,
  SAMPLED_HEADS_OF_VQ,
  SAMPLED_ROUNDS,
  VIRTQUEUE_SAMPLE_SIZE,
  SAMPLE_SIZE,
  SAMPLED_AMBIGUOUS,
  SAMPLED_FALLBACKS,
  SAMPLED_HEADS,
  SAMPLED_HITS,
  SAMPLED_IOTLB,
} from './decision-sample.js';
export type { Culprit, EventMark, Storm } from './storms/storm.js';
export { createRingPlaces, notePlaces, ringsUnder, type RingPlaces } from './storms/ring-places.js';
export { findBegin, RANGE_IDENTITY, rangeIdentity, type RangeIdentity } from './paired-ranges.js';
export { noteStack, stackKey, type StackClasses } from './stack-classes.js';
export {
  createStorms,
  DEFAULT_STORM_RATE,
  MOST_STORM_RATE,
  type StormOptions,
  type Storms,
} from './storms/storms.js';
export {
  HAZARD_MEANING,
  MOST_LISTED,
  type FoundHazards,
  type Hazard,
  type HazardCount,
  type HazardGrade,
  type HazardKind,
  type HazardMark,
} from './hazards/hazard.js';
export { createCountWatch, type HazardWatch } from './hazards/count-watch.js';
export { createHazardWatch } from './hazards/hazards.js';
