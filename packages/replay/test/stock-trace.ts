/** Recordings of a stock host that was never there. */
import { closeSync, openSync } from 'node:fs';
import { INVALIDATION_CLASSES } from '@vhostscope/model';
import {
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
  writeOwnEvent,
} from '@vhostscope/trace';

/** A range over the ring, in the words of a line: start, end, cause, blockable, pid. */
export const RANGE = '7f0000000000 7f0000001000 1 1 42';

/** A recording of a stock host with one ring of process 42; stack 7 is of ksm, and is told after the ranges that name it. */
export function writeStockTrace(path: string, lines: readonly string[], end: bigint): void {
  const fd = openSync(path, 'w');
  const writer = createTraceWriter(fd, {
    sources: ['test'],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: false,
  });
  const importer = createTextImporter(writer, createImportReport());
  const vq = 'ffff888100000100';
  const head = ['# vhostscope 1', `V 1000 0 ${vq} ffff888100000000 42 0 1`];
  importer.push(Buffer.from([...head, ...lines, ''].join('\n')));
  const ksm = INVALIDATION_CLASSES.indexOf('ksm');
  writeOwnEvent(writer, 0, {
    event: 'stack',
    time: end,
    values: { stack: 7n, class: ksm, note: 'try_to_merge_one_page' },
  });
  importer.end();
  closeTrace(writer);
  closeSync(fd);
}
