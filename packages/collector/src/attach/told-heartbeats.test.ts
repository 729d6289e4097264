import { createEventLine, KIND, readEventLine, type EventLine } from '@vhostscope/model';
import {
  beginRecording,
  createImportReport,
  createTextImporter,
  createTraceWriter,
  type TraceOutput,
  type TraceWriter,
} from '@vhostscope/trace';
import { expect, test } from 'vitest';
import { createToldHeartbeats } from './told-heartbeats.js';

const NOWHERE: TraceOutput = {
  append: (_parts, _bytes, fate) => fate?.onWritten?.(),
  keepPace: () => undefined,
  settle: () => Promise.resolve(),
  abandon: () => Promise.resolve(),
  cutBack: () => undefined,
};

function createRecording(isFollowed = true) {
  const writer = createTraceWriter(NOWHERE, {
    sources: [],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: false,
  });
  const importer = createTextImporter(writer, createImportReport());
  beginRecording(writer, 'test');
  return { writer, importer, heartbeats: createToldHeartbeats(writer, () => isFollowed) };
}

function heartbeat(time: number, cpu: number): EventLine {
  const line = createEventLine();
  const bytes = Buffer.from(`H ${time} ${cpu} 0 0 0 0 0 0\n`);
  expect(readEventLine(bytes, 0, bytes.length, line)).toBe(bytes.length);
  return line;
}

const told = ({ current }: TraceWriter): number => current?.byKind[KIND.heartbeat] ?? 0;

test('of an idle host a sign of life is written every five seconds', () => {
  const { writer, heartbeats } = createRecording();
  let events = 0;
  for (let ms = 0; ms < 60_000; ms += 500) {
    for (let cpu = 0; cpu < 32; cpu++) heartbeats.hear(heartbeat(1000 * ms + cpu + 1, cpu));
    heartbeats.flush(ms);
    events = told(writer);
  }
  expect(events).toBe(12);
});

test('where a CPU has told something, all others say how far they have come', () => {
  const { writer, importer, heartbeats } = createRecording();
  heartbeats.hear(heartbeat(1, 0));
  heartbeats.flush(0);
  expect(told(writer)).toBe(1);
  for (let cpu = 0; cpu < 4; cpu++) heartbeats.hear(heartbeat(100, cpu));
  importer.push(Buffer.from('M 110 2 ffff888000001000\n'));
  heartbeats.flush(500);
  // CPU 2 has said so by its round.
  expect(told(writer)).toBe(1 + 3);
  // Once more, now that all have come past it; after that there is nothing new.
  for (let cpu = 0; cpu < 4; cpu++) heartbeats.hear(heartbeat(120, cpu));
  heartbeats.flush(1000);
  expect(told(writer)).toBe(1 + 3 + 4);
  for (let cpu = 0; cpu < 4; cpu++) heartbeats.hear(heartbeat(130, cpu));
  heartbeats.flush(1500);
  expect(told(writer)).toBe(1 + 3 + 4);
});

test('where nobody follows a busy host, it is said seldom how far the other CPUs have come', () => {
  const { writer, importer, heartbeats } = createRecording(false);
  let events = 0;
  for (let ms = 0; ms < 60_000; ms += 500) {
    for (let cpu = 0; cpu < 32; cpu++) heartbeats.hear(heartbeat(1000 * ms + cpu + 1, cpu));
    importer.push(Buffer.from(`M ${1000 * ms + 100} 2 ffff888000001000\n`));
    heartbeats.flush(ms);
    events = told(writer);
  }
  // CPU 2 says so by its rounds.
  expect(events).toBe(12 * 31);
});

test('a full batch that went out between two flushes is news, too', () => {
  const { writer, importer, heartbeats } = createRecording();
  heartbeats.flush(0);
  importer.push(Buffer.from('M 110 2 ffff888000001000\n'.repeat(16_384)));
  heartbeats.hear(heartbeat(120, 0));
  heartbeats.flush(500);
  expect(told(writer)).toBe(1);
});
