/**
 * Streaming parser for the output of bpftrace, text and JSON, as typed messages.
 *
 * @packageDocumentation
 */
export { createParser, parse } from './parser.js';
export type { LineTaker, Parser, ParserCounts, ParserOptions, Taken } from './options.js';
export { QUIRKS } from './quirks.js';
export type { Evidence, Quirk, QuirkId } from './quirks.js';
export type {
  AttachedProbesMessage,
  Bucket,
  Entry,
  HelperErrorMessage,
  HistMessage,
  LogLevel,
  LogMessage,
  LostEventsMessage,
  LostTotalMessage,
  MapMessage,
  Message,
  MessageType,
  NoProbesMessage,
  OutputMessage,
  PrintfMessage,
  ProbesReadyMessage,
  RejectedMessage,
  Sample,
  ScriptErrorMessage,
  ScriptLocation,
  Stats,
  StatsMessage,
  StructValue,
  TextMessage,
  TruncatedMessage,
  TseriesMessage,
  UnknownMessage,
  Value,
  ValueMessage,
  VerboseMessage,
} from './messages.js';
