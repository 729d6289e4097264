/** Real servers for the tests, on loopback, gone with the tests. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export const hasServer = spawnSync('nats-server', ['--version']).status === 0;
if (!hasServer)
  process.stderr.write('skipped: nats-server is not installed (apt-get install nats-server)\n');

export interface TestServer {
  readonly port: number;
  readonly url: string;
  /** SIGKILL, or a clean end. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** On the same port, with what it had stored. */
  start(): Promise<void>;
}

export interface TestFolder {
  readonly path: string;
  remove(): void;
}

export function testFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), 'vhostscope-fleet-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export async function freePorts(howMany: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: howMany }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/**
 * Starts a server with JetStream, unless `config` says otherwise.
 *
 * @param config lines of its configuration
 */
export async function startServer(
  folder: string,
  config: readonly string[] = [],
  {
    name = 'one',
    port,
    jetstream = true,
  }: { name?: string; port?: number; jetstream?: boolean } = {},
): Promise<TestServer> {
  const listen = port ?? (await freePorts(1))[0];
  const path = join(folder, `${name}.conf`);
  writeFileSync(
    path,
    [
      `listen: 127.0.0.1:${listen}`,
      `server_name: ${name}`,
      ...(jetstream ? [`jetstream { store_dir: "${join(folder, name)}" }`] : []),
      ...config,
    ].join('\n'),
  );
  let running: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const child = spawn('nats-server', ['-c', path], { stdio: ['ignore', 'ignore', 'pipe'] });
    running = child;
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const end = Date.now() + 20_000;
    while (!said.includes('Server is ready')) {
      if (child.exitCode !== null || Date.now() > end) throw new Error(`nats-server: ${said}`);
      await pause(20);
    }
  };
  await start();
  return {
    port: listen,
    url: `nats://127.0.0.1:${listen}`,
    start,
    stop: async (signal = 'SIGTERM') => {
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      running.kill(signal);
      await once(running, 'exit');
    },
  };
}
