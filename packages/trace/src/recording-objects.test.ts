import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventsOf, importText, inputEventsOf } from '../test/trace-files.ts';
import { MAX_OBJECTS } from './recording-objects.js';

const hex = (address: bigint): string => address.toString(16);

/** What the file says last of each virtqueue. */
function virtqueues(fd: number): Map<number, { dev?: number; rank?: number; pointer?: bigint }> {
  const found = new Map<number, object>();
  for (const { event, vq, ...values } of eventsOf(fd)) {
    if (event === 'virtqueue') found.set(Number(vq), values);
  }
  return found;
}

const address = fc.oneof(
  fc.bigInt(0xffff_8880_0000_0000n, 0xffff_8880_0000_0040n),
  fc.bigInt(1n, 2n ** 64n - 1n),
);

test('a virtqueue belongs to the device with the greatest address below its own', () => {
  const object = fc.record({ isDevice: fc.boolean(), at: address });
  fc.assert(
    fc.property(fc.array(object, { minLength: 1, maxLength: 60 }), (objects) => {
      const lines = objects.map(({ isDevice, at }, line) =>
        isDevice ? `N ${line} 0 ${hex(at)} 1 0\n` : `M ${line} 0 ${hex(at)}\n`,
      );
      const { fd } = importText(lines.join(''));
      const unique = (isDevice: boolean): bigint[] => [
        ...new Set(objects.filter((given) => given.isDevice === isDevice).map(({ at }) => at)),
      ];
      const devices = unique(true);
      const queues = unique(false);
      const ordered = queues.toSorted((a, b) => (a < b ? -1 : 1));
      const found = virtqueues(fd);
      expect(found.size).toBe(queues.length);
      for (const [id, at] of queues.entries()) {
        const below = devices.filter((dev) => dev < at).toSorted((a, b) => (a < b ? 1 : -1))[0];
        expect(found.get(id)).toMatchObject({ rank: ordered.indexOf(at) });
        expect(found.get(id)?.dev).toBe(below === undefined ? undefined : devices.indexOf(below));
      }
    }),
    { numRuns: 100 },
  );
});

test('an id is one object of one recording', () => {
  const text = ['# vhost-oracle 1', 'M 1 0 ff100', 'N 2 0 ff000 1 0', 'M 3 0 ff200'].join('\n');
  const { fd } = importText(`${text}\n${text}\n`);
  expect(inputEventsOf(fd).map(({ event, vq, dev }) => [event, vq ?? dev])).toEqual([
    ['round', 0],
    ['notifier', 0],
    ['round', 1],
    ['round', 2],
    ['notifier', 1],
    ['round', 3],
  ]);
  expect([...virtqueues(fd)].map(([vq, { dev, rank }]) => [vq, dev, rank])).toEqual([
    [0, 0, 0],
    [1, 0, 1],
    [2, 1, 0],
    [3, 1, 1],
  ]);
});

test('kernel addresses stay out of the file unless they are to be kept', () => {
  const kept = ['ffff9a3b7c5d1e28', 'ffff9a3b7c5d1a00'];
  const lines = [
    '# vhost-oracle 1',
    `M 1 0 ${kept[0]}`,
    `N 2 0 ${kept[1]} 1 0`,
    `R 3 1 ${kept[1]} 1 7f0000000000 7f0000002000 3 1 77 ksmd`,
    `A 4 0 ${kept[0]} 8 1 3`,
    `U 5 0 ${kept[0]} 1 7f0000001000 4096 0`,
    `X 6 0 ${kept[0]} 1 0`,
    `A 7 0 ${kept[0]} 8 1 x`,
    `P 7 0 ${kept[0]}`,
  ];
  const bytes = (keepsPointers: boolean): Buffer =>
    readFileSync(importText(`${lines.join('\n')}\n`, { keepsPointers }).path);
  const littleEndian = (text: string): Buffer => Buffer.from(Buffer.from(text, 'hex').toReversed());
  for (const text of kept) {
    expect(bytes(false).includes(littleEndian(text))).toBe(false);
    expect(bytes(false).includes(littleEndian(text).subarray(0, 4))).toBe(false);
    expect(bytes(false).includes(text)).toBe(false);
  }
  expect(bytes(false).includes(littleEndian('00007f0000001000'))).toBe(true);
  expect(bytes(true).includes(littleEndian(kept[0]))).toBe(true);
  const { fd } = importText(`${lines.join('\n')}\n`, { keepsPointers: true });
  expect(virtqueues(fd).get(0)?.pointer).toBe(0xffff_9a3b_7c5d_1e28n);
});

test('more objects than a trace can have are refused, counted, and harm nothing else', () => {
  const lines: string[] = [];
  const base = 0xffff_8880_0000_0000n;
  for (let at = 0; at < MAX_OBJECTS + 5; at++)
    lines.push(`M ${at} 0 ${hex(base + BigInt(at) * 64n)}`);
  lines.push(`M 99999 0 ${hex(base)}`, `N 100000 0 ${hex(base - 64n)} 1 0`);
  const { fd, report } = importText(`${lines.join('\n')}\n`);
  expect(report).toMatchObject({ events: MAX_OBJECTS + 2, rejected: 5, other: 0 });
  expect(report.rejectedFirst[0]).toEqual({
    line: MAX_OBJECTS + 1,
    offset: lines.slice(0, MAX_OBJECTS).join('\n').length + 1,
    reason: `more than ${MAX_OBJECTS} virtqueues or devices in one trace`,
  });
  const found = virtqueues(fd);
  expect(found.size).toBe(MAX_OBJECTS);
  expect([...found.values()].every(({ dev }) => dev === 0)).toBe(true);
});

test('a line that names the device of a virtqueue is believed, whatever the addresses are', () => {
  const { fd } = importText(`N 1 0 ffff000000001000 1 0
M 2 0 ffff000000002000
V 3 0 ffff000000002000 ffff000000009000 4321 1 0
V 4 0 ffff000000003000 ffff000000009000 - - -
`);
  const found = virtqueues(fd);
  expect(found.get(0)).toMatchObject({ dev: 1, owner: 4321, place: 1, notified: 0 });
  expect(found.get(1)).toMatchObject({ dev: 1 });
  expect(found.get(1)).not.toHaveProperty('owner');
  expect(found.get(1)).not.toHaveProperty('notified');
});

test('thousands of devices that take the virtqueues from one another stay cheap', () => {
  const lines: string[] = [];
  for (let at = 0; at < 4000; at++) lines.push(`M ${at} 0 ${hex(0xffff_f000_0000n + BigInt(at))}`);
  for (let at = 0; at < 4000; at++)
    lines.push(`N ${at} 0 ${hex(0xff00_0000_0000n + BigInt(at))} 1 0`);
  const { fd, path } = importText(`${lines.join('\n')}\n`);
  expect(virtqueues(fd).get(7)?.dev).toBe(3999);
  expect(readFileSync(path).length).toBeLessThan(4e7);
});
