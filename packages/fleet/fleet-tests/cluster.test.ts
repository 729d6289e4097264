import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { freePorts, hasServer, withServers, type TestServer } from '@vhostscope/nats-testbed';
import { openFleet } from '../src/index.js';
import {
  appendAll,
  bytesOfRun,
  initFleet,
  never,
  publisherTo,
  recordedBatches,
  type TestPublisher,
} from './runs.js';

const COLLECTORS = Number(process.env['FLEET_COLLECTORS'] ?? '200');
/** Of the recorded batches, each sends so many, and another part of them. */
const BATCHES = 10;

describe.skipIf(!hasServer)(`a cluster of three, to which ${COLLECTORS} collectors publish`, () => {
  const servers = withServers('shared');
  let nodes: TestServer[];
  let url: string;
  beforeAll(async () => {
    const ports = await freePorts(6);
    const routes = ports.slice(3).map((port) => `nats://127.0.0.1:${port}`);
    nodes = await Promise.all(
      [0, 1, 2].map((at) =>
        servers.start(
          [
            'cluster {',
            '  name: test',
            `  listen: 127.0.0.1:${ports[3 + at]}`,
            `  routes: [${routes.join(', ')}]`,
            '}',
          ],
          { name: `node${at}`, port: ports[at] },
        ),
      ),
    );
    url = `nats://${ports
      .slice(0, 3)
      .map((port) => `127.0.0.1:${port}`)
      .join(',')}`;
    // Until the three have found one another nobody answers.
    for (let tries = 0; ; tries++) {
      try {
        await initFleet(url, { replicas: 3 });
        break;
      } catch (error) {
        if (tries > 40) throw error;
        await pause(500);
      }
    }
  });

  it('loses nothing of them when one node is killed and another restarted', async () => {
    // Without the mark at the end, so that every run is one that is cut.
    const batches = recordedBatches(servers.folder).slice(0, -1);
    const begun = performance.now();
    const publishers: TestPublisher[] = [];
    for (let at = 0; at < COLLECTORS; at += 20)
      publishers.push(
        ...(await Promise.all(
          Array.from({ length: Math.min(20, COLLECTORS - at) }, (_, more) =>
            publisherTo(url, join(servers.folder, `spool${at + more}`), {
              host: `host${at + more}`,
              spoolMax: 2 ** 24,
            }),
          ),
        )),
      );
    const sentBy = publishers.map((_, at) =>
      Array.from({ length: BATCHES }, (__, batch) => batches[(at + batch) % batches.length]),
    );
    const steps = async (from: number, to: number): Promise<void> => {
      for (let batch = from; batch < to; batch++) {
        for (const [at, publisher] of publishers.entries())
          appendAll(publisher, [sentBy[at][batch]]);
        await pause(100);
      }
    };
    const connected = performance.now();
    await steps(0, 3);
    await nodes[0].stop('SIGKILL');
    await steps(3, 5);
    await nodes[0].start();
    await steps(5, 7);
    await pause(2000);
    await nodes[1].stop('SIGTERM');
    await pause(1000);
    await nodes[1].start();
    await steps(7, BATCHES);
    const results = await Promise.all(publishers.map((one) => one.finish(240_000, never())));
    const sent = performance.now();
    await Promise.all(publishers.map((one) => one.close()));
    expect(results.filter(({ isSent }) => !isSent)).toEqual([]);
    const fleet = await openFleet(url, {});
    expect((await fleet.listRuns()).length).toBe(COLLECTORS);
    let repeated = 0;
    let pieces = 0;
    let bytes = 0;
    for (const [at, { name }] of publishers.entries()) {
      const { bytes: got, reading } = await bytesOfRun(fleet, name);
      expect(reading.result).toMatchObject({ damage: undefined, end: 'cut' });
      expect(got.equals(Buffer.concat(sentBy[at]))).toBe(true);
      ({ repeated, pieces, bytes } = {
        repeated: repeated + reading.result.repeated,
        pieces: pieces + reading.result.pieces,
        bytes: bytes + reading.result.bytes,
      });
    }
    await fleet.close();
    process.stderr.write(
      `cluster: ${COLLECTORS} collectors connected in ${((connected - begun) / 1000).toFixed(1)} s, ` +
        `${pieces} pieces, ${(bytes / 1e6).toFixed(1)} MB sent in ${((sent - connected) / 1000).toFixed(1)} s, ` +
        `read back in ${((performance.now() - sent) / 1000).toFixed(1)} s, ${repeated} messages there twice\n`,
    );
  });
});
