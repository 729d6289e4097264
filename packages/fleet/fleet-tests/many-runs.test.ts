import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectFleet, openFleet, parseFleetUrl, type RunName } from '../src/index.js';
import { firstLink, linkOf, type Piece } from '../src/piece.js';
import { messageHeaders } from '../src/piece-message.js';
import { textOfReading } from '../src/run-clock.js';
import { clockSubject, runSubject } from '../src/subjects.js';
import {
  freePorts,
  hasServer,
  startServer,
  testFolder,
  type TestFolder,
  type TestServer,
} from './nats-server.js';
import { initFleet } from './runs.js';

const RUNS = 500;
const PREFIX = 'vhostscope';

describe.skipIf(!hasServer)(`a server with ${RUNS} runs`, () => {
  let folder: TestFolder;
  let server: TestServer;
  let monitor: number;
  beforeAll(async () => {
    folder = testFolder();
    [monitor] = await freePorts(1);
    server = await startServer(folder.path, [`http: "127.0.0.1:${monitor}"`]);
    await initFleet(server.url);
    const there = await connectFleet(parseFleetUrl(server.url), {});
    await Promise.all(
      Array.from({ length: RUNS }, async (_, at) => {
        const name = nameOf(at);
        const head = { kind: 'cut', seq: 0, offset: 0 } as const;
        const piece: Piece = {
          ...head,
          bytes: new Uint8Array(0),
          link: linkOf(firstLink(name), head, []),
        };
        await there.client.publish(runSubject(PREFIX, name), piece.bytes, {
          headers: messageHeaders(piece),
        });
        if (at % 2 === 0) return;
        const reading = { clock: 'CLOCK_BOOTTIME', at: BigInt(at), offset: 2n, uncertainty: 3n };
        await there.client.publish(clockSubject(PREFIX, name), textOfReading(reading));
      }),
    );
    await there.close();
  });
  afterAll(async () => {
    await server.stop('SIGKILL');
    folder.remove();
  });

  const nameOf = (at: number): RunName => ({ host: `host${at % 7}`, run: `run${at}` });
  /** Messages that the server has got of its clients. */
  const received = async (): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${monitor}/varz`);
    const { in_msgs: messages } = (await response.json()) as { in_msgs: number };
    return messages;
  };

  it('lists them, with their clocks, without a question for each', async () => {
    const fleet = await openFleet(server.url, {});
    const before = await received();
    const runs = await fleet.listRuns();
    const clockOf = await fleet.readClocks();
    const asked = (await received()) - before;
    await fleet.close();
    expect(runs.length).toBe(RUNS);
    for (let at = 0; at < RUNS; at++) {
      const reading = clockOf(nameOf(at));
      expect(reading?.at).toBe(at % 2 === 0 ? undefined : BigInt(at));
      expect(runs).toContainEqual(expect.objectContaining({ ...nameOf(at), end: 'cut' }));
    }
    expect(asked).toBeLessThan(30);
  });
});
