/** nats-server as a child, with a folder for what it stores and a port that was free. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export const hasServer = spawnSync('nats-server', ['--version']).status === 0;
if (!hasServer)
  process.stderr.write('skipped: nats-server is not installed (apt-get install nats-server)\n');

export interface TestServer {
  readonly url: string;
  /** Of its process; undefined while it was never started. */
  readonly pid: number | undefined;
  /** SIGKILL, or a clean end. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** On the same port, with what it had stored. */
  start(): Promise<void>;
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

export interface ServerOptions {
  /** Of the server, and of the folder of what it stores. */
  readonly name?: string;
  /** Without it one that is free. */
  readonly port?: number;
  readonly jetstream?: boolean;
}

/**
 * Starts a server with JetStream, unless it is told otherwise.
 *
 * @param config lines of its configuration
 */
export async function startServer(
  folder: string,
  config: readonly string[] = [],
  options: ServerOptions = {},
): Promise<TestServer> {
  const server = await prepareServer(folder, config, options);
  await server.start();
  return server;
}

/** The same, not started yet: nobody listens on its port. */
export async function prepareServer(
  folder: string,
  config: readonly string[],
  { name = 'one', port, jetstream = true }: ServerOptions,
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
  return {
    url: `nats://127.0.0.1:${listen}`,
    get pid() {
      return running?.pid;
    },
    start: async () => {
      const child = spawn('nats-server', ['-c', path], { stdio: ['ignore', 'ignore', 'pipe'] });
      running = child;
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
      const end = Date.now() + 20_000;
      while (!said.includes('Server is ready')) {
        if (child.exitCode !== null || Date.now() > end) throw new Error(`nats-server: ${said}`);
        await pause(20);
      }
    },
    stop: async (signal = 'SIGTERM') => {
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      running.kill(signal);
      await once(running, 'exit');
    },
  };
}
