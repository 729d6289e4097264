/** Every kind of event that is no access, and what it does to the state. */
import { assignOwner, assignVirtqueue, NO_RANK } from './device-state.js';
import { doubtDeferred } from './deferred-maps.js';
import { IOTLB_ROUND } from './doubts.js';
import { applyEnd, applyStart } from './effects-order.js';
import { beginRecording, forgetState, know } from './engine-recording.js';
import type { EngineState } from './engine-state.js';
import { hasDetail, type EventBatch } from './event-batch.js';
import { KIND } from './events.js';
import { noteFor } from './mismatches.js';
import { forgetAttempts } from './observed-attempts.js';
import { enterCoreRange, enterRange, returnCoreRange } from './recorded-ranges.js';
import { dropMaps, recordRange, reset, switchNotifier } from './ring-setup.js';
import { beginRound, seePrefetch } from './rounds.js';
import { readCounters } from './stock-host/counters.js';
import { seePages } from './stock-host/page-evidence.js';
import { isKernelLook, takeLook } from './stock-host/page-looks.js';
import { isRangeUnderWay } from './stock-host/ranges-under-way.js';
import { endRound } from './stock-host/round-end.js';
import { seeMiss } from './stock-host/iotlb-miss.js';
import { expectIotlb, IOTLB_COMING, IOTLB_ON, setIotlb } from './virtqueue-state.js';

/** Every event that is no access. */
export function handleEvent(engine: EngineState, batch: EventBatch, i: number): void {
  const { details } = batch;
  const detail = batch.detail[i];
  const vq = batch.vq[i];
  const { virtqueues } = engine;
  if (batch.kind[i] !== KIND.lost) engine.knowsNothing = false;
  switch (batch.kind[i]) {
    case KIND.round:
      know(engine, vq);
      beginRound(engine, batch, i, vq);
      note(engine, batch, i, -1);
      return;
    case KIND.round_end:
      if (engine.host !== 'stock') return;
      know(engine, vq);
      endRound(engine, batch, i);
      note(engine, batch, i, -1);
      return;
    case KIND.counted:
      if (engine.host !== 'stock') return;
      know(engine, vq);
      readCounters(engine, batch, i);
      return;
    case KIND.core_range_start:
      if (engine.host === 'stock') enterCoreRange(engine, batch, i, true);
      return;
    case KIND.core_range_end:
      if (engine.host === 'stock') enterCoreRange(engine, batch, i, false);
      return;
    case KIND.core_range_start_return:
      if (engine.host === 'stock') returnCoreRange(engine, batch, i, true);
      return;
    case KIND.core_range_end_return:
      if (engine.host === 'stock') returnCoreRange(engine, batch, i, false);
      return;
    case KIND.pages: {
      if (engine.host !== 'stock') return;
      know(engine, vq);
      const slot = 4 * vq + details.area[detail];
      if (isRangeUnderWay(engine, slot)) return;
      if (isKernelLook(batch, i)) takeLook(virtqueues, batch, i, slot);
      else seePages(virtqueues, batch, i, slot, engine.delays);
      return;
    }
    case KIND.prefetch: {
      // Where accesses are derived, what the driver of the recording host did is not read.
      if (engine.host === 'stock') return;
      know(engine, vq);
      const area = details.area[detail];
      note(engine, batch, i, area);
      if (engine.mechanism === 'counted') seePrefetch(engine, batch, i, 4 * vq + area);
      return;
    }
    // Of a stock host's, the memory manager's call was told, which runs every callback.
    case KIND.range_start:
      if (engine.host === 'direct-map') enterRange(engine, batch, i, true);
      return;
    case KIND.range_end:
      if (engine.host === 'direct-map') enterRange(engine, batch, i, false);
      return;
    case KIND.effect_start: {
      if (engine.order !== 'effects' || engine.mechanism !== 'counted') return;
      know(engine, vq);
      const area = details.area[detail];
      applyStart(engine, vq, 4 * vq + area);
      note(engine, batch, i, area);
      return;
    }
    case KIND.effect_end: {
      if (engine.order !== 'effects' || engine.mechanism !== 'counted') return;
      know(engine, vq);
      const area = details.area[detail];
      applyEnd(engine, vq, 4 * vq + area);
      note(engine, batch, i, area);
      return;
    }
    case KIND.addresses: {
      know(engine, vq);
      const area = details.area[detail];
      const failed = hasDetail(details, detail, 'error') && details.error[detail] !== 0;
      recordRange(engine, batch, i, 4 * vq + area, failed);
      note(engine, batch, i, area);
      return;
    }
    case KIND.unmap:
      know(engine, vq);
      dropMaps(engine, vq);
      note(engine, batch, i, -1);
      return;
    case KIND.reset:
      know(engine, vq);
      reset(engine, vq);
      note(engine, batch, i, -1);
      return;
    case KIND.notifier:
      switchNotifier(
        engine,
        details.dev[detail],
        details.registered[detail] === 1 && details.error[detail] === 0,
      );
      return;
    case KIND.iotlb:
      know(engine, vq);
      if (engine.usesObservations) forgetAttempts(engine, vq);
      switchIotlb(engine, vq, details.enabled[detail] === 1);
      note(engine, batch, i, -1);
      return;
    case KIND.iotlb_miss:
      know(engine, vq);
      if (engine.host === 'stock') seeMiss(virtqueues, batch, i);
      note(engine, batch, i, -1);
      return;
    case KIND.virtqueue: {
      know(engine, vq);
      if (!hasDetail(details, detail, 'dev')) return;
      const dev = details.dev[detail];
      const rank = hasDetail(details, detail, 'rank') ? details.rank[detail] : NO_RANK;
      assignVirtqueue(engine.devices, vq, virtqueues.dev[vq], dev, rank);
      virtqueues.dev[vq] = dev;
      if (hasDetail(details, detail, 'owner'))
        assignOwner(engine.devices, dev, details.owner[detail]);
      return;
    }
    case KIND.recording:
      beginRecording(engine);
      return;
    case KIND.lost:
      engine.tallies.lostEvents +=
        (BigInt(details.lost[2 * detail + 1]) << 32n) | BigInt(details.lost[2 * detail]);
      if (!engine.knowsNothing) forgetState(engine);
      engine.knowsNothing = true;
      return;
    default:
      return;
  }
}

/**
 * A live recording tells that the device IOTLB is switched on where that begins: each virtqueue has it later, when
 * no round holds it, and until it is reset.
 */
function switchIotlb(engine: EngineState, vq: number, isOn: boolean): void {
  const { virtqueues, host, hasFilteredRanges } = engine;
  const isLive = host === 'direct-map' && hasFilteredRanges;
  if (isLive && (isOn || virtqueues.iotlb[vq] === IOTLB_COMING)) {
    if (virtqueues.iotlb[vq] !== IOTLB_ON) expectIotlb(virtqueues, vq);
    return;
  }
  switchOffUnseen(engine, vq, isOn);
  setIotlb(virtqueues, vq, isOn);
}

/** The device IOTLB was on without our knowing: rounds did not map then. */
function switchOffUnseen(engine: EngineState, vq: number, isOn: boolean): void {
  if (engine.mechanism !== 'deferred' || engine.host === 'stock') return;
  if (!isOn && engine.virtqueues.iotlb[vq] === 0) doubtDeferred(engine, vq, IOTLB_ROUND);
}

function note(engine: EngineState, batch: EventBatch, i: number, area: number): void {
  noteFor(engine, batch, i, batch.vq[i], area);
}
