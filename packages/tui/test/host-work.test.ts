/** What no design changes is told of a virtqueue as `replay run` tells it. */
import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import { fileSession } from './driven-session.ts';
import { temporaryFolder, writeTrace } from './traces.ts';

/** A round with the device IOTLB on whose used ring is missed, and one that logs what it writes. */
const TEXT = `# vhostscope 1
V 1000 0 ffff8cc54f964ab0 ffff8cc54f960000 214 1 1
U 1001 0 ffff8cc54f964ab0 0 80001000 4096 -
U 1002 0 ffff8cc54f964ab0 1 80002000 518 -
U 1003 0 ffff8cc54f964ab0 2 80003000 2054 -
I 1004 0 ffff8cc54f964ab0 1
M 3000 0 ffff8cc54f964ab0
IM 3100 0 ffff8cc54f964ab0 80003000 2
E 3200 0 ffff8cc54f964ab0 2 256 0 5ac002e002e002e 5ac002e002e002e
IU 9100 1 ffff8cc54f960000 80003000 4096 3
M 10000 0 ffff8cc54f964ab0
D 10800 0 ffff8cc54f964ab0 3 4 1
E 10900 0 ffff8cc54f964ab0 2 256 0 7ac002e002e002e 7ac002e002e002e
`;

test('the device IOTLB and the log of dirty memory', async () => {
  const path = join(temporaryFolder(), 'iotlb.arrows');
  writeTrace(path, TEXT, 1);
  const session = await fileSession(path);
  onTestFinished(async () => session.close());
  session.tell({ do: 'look at', vq: 0 });
  session.tell({ do: 'seek', at: 1e9 });
  const { queue } = session.settle();
  expect(queue?.hostWork).toEqual([
    ['rounds by the device IOTLB', 2],
    ['left at once, the ring was missed', 1],
    ['meta-IOTLB hits', 5],
    ['meta-IOTLB misses', 1],
    ['misses of the ring', 1],
    ['misses of buffers', 0],
    ['storms of misses of its device', 0],
    ['updates by its owner', 1],
    ['invalidations by its owner', 0],
    ['writes logged as dirty', 3],
    ['bits set for them', 4],
    ['get_user_pages calls for them', 5],
    ['of these failed', 1],
  ]);
});
