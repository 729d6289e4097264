/** What each record batch says of itself in its message's metadata, so that a reader can plan. */
import { MAX_CPU } from '@vhostscope/model';

/**
 * - `begin`: one `recording` row; what follows starts from empty state;
 * - `table`: `virtqueue` rows, valid for the whole recording;
 * - `events`: events of one CPU, in the order in which they arrived;
 * - `end`: one `recording_end` row.
 */
export type BatchRole = 'begin' | 'table' | 'events' | 'end';

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
  const role = metadata.get('role');
  const recording = Number(metadata.get('recording'));
  const cpu = Number(metadata.get('cpu'));
  if (role !== 'begin' && role !== 'table' && role !== 'events' && role !== 'end') return undefined;
  if (
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
