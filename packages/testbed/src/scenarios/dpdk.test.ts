import { expect, test } from 'vitest';
import { readDpdkResult } from './dpdk.js';
import { dpdkText } from './result-text.js';

// The end of what testpmd of DPDK 22.11 prints; the numbers of the port stand before those of all.
const OUTPUT = `
  ---------------------- Forward statistics for port 0  ----------------------
  RX-packets: 1              RX-dropped: 0             RX-total: 1
  TX-packets: 525471         TX-dropped: 20040512      TX-total: 20565983
  ----------------------------------------------------------------------------

  +++++++++++++++ Accumulated forward statistics for all ports+++++++++++++++
  RX-packets: 7              RX-dropped: 0             RX-total: 7
  TX-packets: 525472         TX-dropped: 20040512      TX-total: 20565984
  ++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++

Done.
`;

test('packets of all ports are read, and the rate is of the direction that was driven', () => {
  const sent = readDpdkResult(OUTPUT, 'txonly', 8);
  expect(sent).toEqual({
    mode: 'txonly',
    seconds: 8,
    sent: 525472,
    received: 7,
    dropped: 20040512,
    packets_per_second: 65684,
  });
  expect(readDpdkResult(OUTPUT, 'rxonly', 7).packets_per_second).toBe(1);
  expect(dpdkText(sent)).toEqual([
    'testpmd, txonly, 8 s: sent 525,472 (20,040,512 found the ring full): 65,684 packets/s',
  ]);
});

test('a testpmd that gave no statistics is an error with what it said', () => {
  expect(() => readDpdkResult('Cause: No cores\n', 'txonly', 1)).toThrow(
    'testpmd printed no statistics: Cause: No cores',
  );
});
