// The text of a stock host at `--detail rounds`, made up, as no real one is small enough to be in the sources: two
// virtqueues of one device take turns, 32 packets a round, as a forwarding load has them.
import { appendFileSync, writeFileSync } from 'node:fs';
import { ATTACH_HEADER, HANDLERS, readRingWord, ringWord } from '../packages/model/dist/index.js';

const DEVICE = 0xffff_8880_0a00_0000n;
const OWNER = 1000;
const NUM = 256;
const PACKETS = 32;
/** Between two rounds of the host's one CPU, ns. */
const STEP = 40_000n;
const ROUND = 30_000n;
/** Lines that are put into the file at once. */
const PIECE = 10_000;

/** A ring as virtio-net's driver sets it up, at index 0. */
const RING = {
  ...readRingWord(0, 0),
  signalledUsedValid: true,
  callEventfd: true,
  eventIdx: true,
};

const virtqueueAt = (place) => (DEVICE + BigInt(place + 1) * 0x1000n).toString(16);

function setUp(time) {
  const lines = [`N ${time} 0 ${DEVICE.toString(16)} 1 0`];
  for (const place of [0, 1]) {
    const vq = virtqueueAt(place);
    lines.push(`V ${time} 0 ${vq} ${DEVICE.toString(16)} ${OWNER} ${place} 1`);
    for (const area of [0, 1, 2])
      lines.push(`U ${time} 0 ${vq} ${area} 7f00${place}${area}000000 4096 -`);
  }
  return lines;
}

/** Writes so many rounds into a file: two events each. */
export function writeMadeRounds(file, rounds) {
  let time = 1_000_000_000_000n;
  let lines = [ATTACH_HEADER, ...setUp(time)];
  writeFileSync(file, '');
  for (let round = 0; round < rounds; round++) {
    time += STEP;
    const place = round & 1;
    const vq = virtqueueAt(place);
    const handler = HANDLERS.indexOf(place === 0 ? 'net_rx' : 'net_tx');
    const from = ((round >> 1) * PACKETS) & 0xffff;
    const to = (from + PACKETS) & 0xffff;
    const before = ringWord({
      ...RING,
      lastAvailIdx: from,
      availIdx: to,
      lastUsedIdx: from,
    });
    const after = ringWord({ ...RING, lastAvailIdx: to, availIdx: to, lastUsedIdx: to });
    lines.push(
      `M ${time} 0 ${vq}`,
      `E ${time + ROUND} 0 ${vq} ${handler} ${NUM} 1 ${before.toString(16)} ${after.toString(16)}`,
    );
    if (lines.length < PIECE && round < rounds - 1) continue;
    appendFileSync(file, `${lines.join('\n')}\n`);
    lines = [];
  }
}
