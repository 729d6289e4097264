/** Access lines of the usual shape have a path of their own: it must give what the general one gives. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventsOf, importText, inputEventsOf } from '../test/trace-files.ts';

const QUEUES = ['ffff888100000100', 'ffff888100000101', 'ff100', '0'];

interface Access {
  readonly later: number;
  readonly cpu: number;
  readonly queue: number;
  readonly accessor: number;
  readonly observed: number;
  readonly entries: number;
}

const access: fc.Arbitrary<Access> = fc.record({
  later: fc.oneof(fc.constantFrom(0, 1, 9, 10, 90, 999_999_999, 1_000_000_000), fc.nat(300)),
  cpu: fc.constantFrom(0, 0, 0, 0, 1, 10, 8191),
  queue: fc.constantFrom(0, 0, 0, 0, 1, 2, 3),
  accessor: fc.integer({ min: 1, max: 10 }),
  observed: fc.nat(2),
  entries: fc.oneof(fc.constant(1), fc.nat(12), fc.integer({ min: 0, max: 0xffff_ffff })),
});

/** Lines that look like an access and are none, between those that are. */
const disturbance = fc.constantFrom(
  '# vhost-oracle 1',
  `M 5 0 ${QUEUES[0]}`,
  `A 1 0 ${QUEUES[0]} 11 1 1`,
  `A 1 0 ${QUEUES[0]} 1 3 1`,
  `A 1 0 ${QUEUES[0]} 1 1 1 `,
  `A 1 0 ${QUEUES[0]} 1 1 4294967296`,
  `A 9223372036854775808 0 ${QUEUES[0]} 1 1 1`,
  `A 1 0 ${QUEUES[0]}`,
  '',
);

const start = fc.constantFrom(0n, 8n, 2n ** 32n - 20n, 99_999_999_990n, 2n ** 63n - 10n ** 13n);

/** What the virtqueues' ids stand for. */
function addressesOf(fd: number): Map<number, string> {
  return new Map(
    eventsOf(fd)
      .filter(({ event }) => event === 'virtqueue')
      .map(({ vq, pointer }) => [Number(vq), BigInt(pointer ?? -1).toString(16)]),
  );
}

test('a run of accesses comes back as it was written, whatever stands between', () => {
  const given = fc.array(fc.oneof({ weight: 8, arbitrary: access }, disturbance), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(
      start,
      given,
      fc.boolean(),
      fc.constantFrom(Infinity, 50),
      (first, items, json, chunk) => {
        let time = first;
        const lines: string[] = [];
        const expected: object[] = [];
        for (const item of items) {
          let line: string;
          if (typeof item === 'string') line = item;
          else {
            const { later, cpu, queue, accessor, observed, entries } = item;
            time += BigInt(later);
            line = `A ${time} ${cpu} ${QUEUES[queue]} ${accessor} ${observed} ${entries}`;
            expected.push({
              event: 'access',
              time,
              cpu,
              line: lines.length + 1,
              queue: QUEUES[queue],
              accessor,
              observed,
              n: 1,
              ...(accessor === 8 && { entries }),
            });
          }
          lines.push(json ? `{"type": "printf", "data": "${line}\\n"}` : line);
        }
        const { fd, report } = importText(lines.map((line) => `${line}\n`).join(''), {
          chunk,
          keepsPointers: true,
        });
        const got = inputEventsOf(fd).filter(({ event }) => event === 'access');
        expect(report.events).toBe(
          inputEventsOf(fd).filter(({ event }) => event !== 'lost').length,
        );
        const addresses = addressesOf(fd);
        expect(
          got
            .toSorted((a, b) => a.line - b.line)
            .map(({ vq, ...rest }) => ({ ...rest, queue: addresses.get(Number(vq)) })),
        ).toEqual(expected);
      },
    ),
    { numRuns: 150 },
  );
});

test('accesses of one record of JSON all come from its one line', () => {
  const line = `A 17040459130 0 ${QUEUES[0]} 2 1 1`;
  const record = (lines: number): string =>
    `{"type": "printf", "data": "${`${line}\\n`.repeat(lines)}"}\n`;
  const { fd } = importText(`${record(1)}${record(5)}${record(2)}`);
  const lines = inputEventsOf(fd).map((event) => event.line);
  expect(lines).toEqual([1, 2, 2, 2, 2, 2, 3, 3]);
});
