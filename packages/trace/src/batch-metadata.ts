/** What each record batch says of itself in its message's metadata, so that a reader can plan. */
import { MAX_CPU } from '@vhostscope/model';

/**
 * - `begin`: one `recording` row; what follows starts from empty state;
 * - `table`: `virtqueue` rows, valid for the whole recording;
 * - `events`: events of one CPU, in the order in which they arrived;
 * - `end`: one `recording_end` row;
 * - `close`: no row; no batch follows it, so that it shows whether some are missing before the stream's end.
 */
export type BatchRole = (typeof ROLES)[number];

const ROLES = ['begin', 'table', 'events', 'end', 'close'] as const;

export interface BatchMetadata {
  readonly role: BatchRole;
  /** Number of the recording in the file, from 0. */
  readonly recording: number;
  readonly cpu: number;
}

export function encodeBatchMetadata({ role, recording, cpu }: BatchMetadata): Map<string, string> {
  return new Map([
    ['role', role],
    ['recording', String(recording)],
    ['cpu', String(cpu)],
  ]);
}

/** undefined when the batch does not say what a vhostscope batch says. */
export function decodeBatchMetadata(
  metadata: ReadonlyMap<string, string>,
): BatchMetadata | undefined {
  const named = metadata.get('role');
  const role = ROLES.find((one) => one === named);
  const recording = Number(metadata.get('recording'));
  const cpu = Number(metadata.get('cpu'));
  if (
    role === undefined ||
    !Number.isSafeInteger(recording) ||
    recording < 0 ||
    !Number.isInteger(cpu) ||
    cpu < 0 ||
    cpu > MAX_CPU
  ) {
    return undefined;
  }
  return { role, recording, cpu };
}
