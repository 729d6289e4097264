/** The virtqueues that a trace has told of, and what is known of their devices. */
import { hasDetail, KIND, type EventBatch, type Tallies } from '@vhostscope/model';
import {
  describedVirtqueue,
  inAddressOrder,
  transmittingAmong,
  type VirtqueueDescription,
} from '@vhostscope/replay';

export interface KnownVirtqueue extends VirtqueueDescription {
  /** Process that owns the device; undefined where the trace does not tell. */
  readonly owner: number | undefined;
}

export interface VirtqueueList {
  /** In address order, by recording. */
  readonly all: readonly KnownVirtqueue[];
  /** Ids are below this. */
  readonly size: number;
  /** Ids of those that transmit; the same set until another one is found. */
  transmitting(tallies: Tallies): ReadonlySet<number>;
  /** A `virtqueue` row. */
  note(batch: EventBatch, row: number, recording: number): void;
}

export function createVirtqueueList(): VirtqueueList {
  const known = new Map<number, KnownVirtqueue>();
  let all: readonly KnownVirtqueue[] = [];
  let isSorted = true;
  let size = 0;
  let transmitting: ReadonlySet<number> = new Set();
  let vsock = 0;
  let isFound = false;

  function list(): readonly KnownVirtqueue[] {
    if (!isSorted) {
      all = inAddressOrder(known.values()).flatMap(({ id }) => known.get(id) ?? []);
      isSorted = true;
    }
    return all;
  }

  return {
    get all() {
      return list();
    },
    get size() {
      return size;
    },
    transmitting: (tallies) => {
      const found =
        tallies.derived?.vsockRounds.reduce((sum, one) => sum + (one > 0 ? 1 : 0), 0) ?? 0;
      if (!isFound || vsock !== found) {
        transmitting = new Set(transmittingAmong(list(), tallies));
        isFound = true;
      }
      vsock = found;
      return transmitting;
    },
    note: (batch, row, recording) => {
      if (batch.kind[row] !== KIND.virtqueue) return;
      const described = describedVirtqueue(batch, row, recording);
      const at = batch.detail[row];
      const owner = hasDetail(batch.details, at, 'owner') ? batch.details.owner[at] : undefined;
      known.set(described.id, { ...described, owner });
      size = Math.max(size, described.id + 1);
      isSorted = false;
      isFound = false;
    },
  };
}
