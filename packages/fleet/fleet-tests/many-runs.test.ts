import { describe, expect, it } from 'vitest';
import { freePorts, hasServer, type ServerInUse } from '@vhostscope/nats-testbed';
import {
  connectFleet,
  openFleet,
  parseFleetUrl,
  type FleetServer,
  type RunName,
} from '../src/index.js';
import { firstLink, linkOf, type Piece } from '../src/piece.js';
import { messageHeaders } from '../src/piece-message.js';
import { textOfReading } from '../src/run-clock.js';
import { storedMessages } from '../src/stored-messages.js';
import { clockSubject, runStream, runSubject } from '../src/subjects.js';
import { fleetServer } from './runs.js';

const RUNS = 500;
const PREFIX = 'vhostscope';

/** The last piece of a run, without the others. */
async function publishEnd({ client }: FleetServer, name: RunName, seq: number): Promise<void> {
  const head = { kind: 'cut', seq, offset: 0 } as const;
  const piece: Piece = {
    ...head,
    bytes: new Uint8Array(0),
    link: linkOf(firstLink(name), head, []),
  };
  await client.publish(runSubject(PREFIX, name), piece.bytes, { headers: messageHeaders(piece) });
}

describe.skipIf(!hasServer)(`a server with ${RUNS} runs`, () => {
  let monitor: number;
  const server = fleetServer('shared', {
    config: async () => {
      [monitor] = await freePorts(1);
      return [`http: "127.0.0.1:${monitor}"`];
    },
    prepare: publishEnds,
  });
  async function publishEnds({ url }: ServerInUse): Promise<void> {
    const there = await connectFleet(parseFleetUrl(url), {});
    await Promise.all(
      Array.from({ length: RUNS }, async (_, at) => {
        const name = nameOf(at);
        await publishEnd(there, name, 0);
        if (at % 2 === 0) return;
        const reading = { clock: 'CLOCK_BOOTTIME', at: BigInt(at), offset: 2n, uncertainty: 3n };
        await there.client.publish(clockSubject(PREFIX, name), textOfReading(reading));
      }),
    );
    await there.close();
  }

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

  it('lists a run once that goes on meanwhile', async () => {
    const there = await connectFleet(parseFleetUrl(server.url), {});
    const fleet = await openFleet(server.url, {});
    let isListing = true;
    let sent = 0;
    const going = (async () => {
      while (isListing) {
        const name = { host: 'going', run: `on${sent++ % 50}` };
        await publishEnd(there, name, sent);
      }
    })();
    for (let times = 0; times < 20; times++) {
      const names = (await fleet.listRuns()).map(({ host, run }) => `${host}/${run}`);
      expect(names).toEqual([...new Set(names)]);
    }
    isListing = false;
    await going;
    expect(sent).toBeGreaterThan(50);
    await fleet.close();
    await there.close();
  });

  // The last one: nothing is left.
  it('comes to its end where the server deletes what it was about to give', async () => {
    const there = await connectFleet(parseFleetUrl(server.url), {});
    // More than are fetched ahead.
    const name = nameOf(0);
    await Promise.all(
      Array.from({ length: 5000 }, () => there.client.publish(clockSubject(PREFIX, name), '')),
    );
    let seen = 0;
    for await (const _ of storedMessages(there, { headersOnly: true }))
      if (seen++ === 0) await there.manager.streams.purge(runStream(PREFIX));
    expect(seen).toBeLessThan(5000);
    const { messages } = (await there.manager.streams.info(runStream(PREFIX))).state;
    expect(messages).toBe(0);
    await there.close();
  }, 30_000);
});
