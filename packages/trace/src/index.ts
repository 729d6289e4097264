/** The trace file: written from the text of bpftrace, perf and ftrace, read back with its CPUs merged by time. */
export {
  openArrivingTrace,
  openTemporary,
  openTrace,
  nothingFound,
  type OpenOptions,
  type OpenTrace,
} from './open-trace.js';
export { visitRecording, visitTrace, visitTraceAtPace, type RunVisitor } from './merge-cpus.js';
export {
  createTraceIndexer,
  indexTrace,
  type RecordingIndex,
  type TraceIndex,
  type TraceIndexer,
} from './trace-index.js';
export { batchEnd, type BatchPlace, type PlaceList } from './place-list.js';
export { readFully, writeFully, type TraceBytes } from './file-access.js';
export { endOfStream } from './message-writer.js';
export {
  createLiveMerge,
  type LiveMerge,
  type MergeLimits,
  type MergeStop,
  type MergeVisitor,
} from './live-merge.js';
export {
  createBatchMemory,
  DamagedBatchError,
  lastTimeOf,
  linkOfBatch,
  readBatch,
  type BatchMemory,
} from './batch-reader.js';
export { closingBatch } from './batch-writer.js';
export { checkBatches, upToDamage } from './damaged-trace.js';
export {
  abandonTrace,
  beginRecording,
  closeTrace,
  createTraceWriter,
  flushTrace,
  keepPace,
  settleTrace,
  writeEvent,
  type TraceWriter,
} from './trace-writer.js';
export { createTextImporter, type LiveImport, type TextImporter } from './import-text.js';
export { createTextImport, type TextImport } from './text-import.js';
export { createGrowingBytes } from './growing-bytes.js';
export { createTextKindFinder, RECORDER, type TextFormat, type TextKind } from './text-kind.js';
export {
  createLiveEvents,
  type LiveEvents,
  type LiveTraceEvent,
} from './trace-events/live-events.js';
export {
  createImportReport,
  NO_EVENT,
  type ImportReport,
  type LineProblem,
} from './import-report.js';
export {
  dropUnwritten,
  noteFlaw,
  noteLimit,
  noteLiveEnd,
  hasWaiting,
  writeHeartbeat,
  writeLoss,
  writeOwnEvent,
  writeRangeLine,
  writeRingLine,
} from './recorder-notes.js';
export { joinTrace, leaveTrace, type JoinedStream } from './live-reader.js';
export { createRingState, noteRingState, noteStack, type RingState } from './ring-state.js';
export {
  createOpenRanges,
  forgetRanges,
  hasOrphans,
  keptLine,
  linesOfBegun,
  noteRange,
  settleRanges,
  type KeptLine,
  type OpenRanges,
} from './open-ranges.js';
export { surveySource, type MergeSource, type SurveyedSource } from './merge/source-survey.js';
export { planMerge, type MergePlan } from './merge/merge-plan.js';
export { mergeRecordings, type MergedSource } from './merge/merge-recordings.js';
export { recordedNothing, recordingCounts } from './read-recording-counts.js';
export { fileOutput, type TraceOutput } from './trace-output.js';
export type { LiveEnd } from './recording-in-progress.js';
export { inputName, readInput, type InputEnd, type InputOptions } from './input-bytes.js';
export {
  InputError,
  NoEventsError,
  OutputError,
  reasonOf,
  writing,
  written,
} from './file-errors.js';
export { checkPlace, openNewFile, type NewFile } from './new-file.js';
export {
  FORMAT_VERSION,
  headerOfText,
  TraceFormatError,
  withName,
  type TraceHeader,
} from './trace-header.js';
export { recordedProbesSchema, traceHeaderSchema } from './trace-header-reader.js';
export { countsByName, type RecordingCounts } from './recording-counts.js';
export { recordingCountsSchema } from './recording-counts-schema.js';
export {
  appendEvent,
  createEventBuilder,
  type EventBuilder,
  type EventValues,
} from './event-builder.js';
export { isArrowStream, STREAM_MARK_BYTES } from './foreign-formats.js';
export { lacksNotifier, UNTOLD_NOTIFIER } from './untold-notifier.js';
