/** What nearly every test of a server begins and ends with, as hooks of the describe block that asks for it. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import {
  hasServer,
  prepareServer,
  startServer,
  type ServerOptions,
  type TestServer,
} from './nats-server.js';
import { testFolder, type TestFolder } from './test-folder.js';

/** Whether tests share a folder and what runs in it, or each has its own. */
export type Sharing = 'shared' | 'for each test';

/** A folder, and servers that the tests start in it. */
export interface ServersInUse {
  readonly folder: string;
  /** As startServer does; it is stopped behind the test, or behind all. */
  start(config?: readonly string[], options?: ServerOptions): Promise<TestServer>;
}

/** A folder, and one server in it. */
export interface ServerInUse extends TestServer {
  readonly folder: string;
}

export interface ServerSetup {
  /** Lines of its configuration. */
  readonly config?: () => Promise<readonly string[]>;
  /** Nobody listens on its port until a test starts it. */
  readonly isAway?: boolean;
  /** What follows its start, before the tests. */
  readonly prepare?: (server: ServerInUse) => Promise<void>;
}

/** To be called in a describe block, or at the top of a file; does nothing where there is no nats-server. */
export function withServers(sharing: Sharing): ServersInUse {
  let folder: TestFolder | undefined;
  const servers: TestServer[] = [];
  around(
    sharing,
    () => {
      folder = testFolder();
    },
    async () => {
      await Promise.all(servers.splice(0).map((server) => server.stop('SIGKILL')));
      folder?.remove();
    },
  );
  const path = (): string => beforehand(folder).path;
  return {
    get folder() {
      return path();
    },
    start: async (config, options) => {
      const server = await startServer(path(), config, options);
      servers.push(server);
      return server;
    },
  };
}

/** The same with one server, which runs when the tests begin. */
export function withServer(sharing: Sharing, setup: ServerSetup = {}): ServerInUse {
  const { config, isAway = false, prepare } = setup;
  let folder: TestFolder | undefined;
  let server: TestServer | undefined;
  const inUse: ServerInUse = {
    get folder() {
      return beforehand(folder).path;
    },
    get url() {
      return beforehand(server).url;
    },
    get pid() {
      return beforehand(server).pid;
    },
    start: () => beforehand(server).start(),
    stop: (signal) => beforehand(server).stop(signal),
  };
  around(
    sharing,
    async () => {
      folder = testFolder();
      server = await prepareServer(folder.path, (await config?.()) ?? [], {});
      if (!isAway) await server.start();
      await prepare?.(inUse);
    },
    async () => {
      await server?.stop('SIGKILL');
      folder?.remove();
    },
  );
  return inUse;
}

function around(
  sharing: Sharing,
  begin: () => void | Promise<void>,
  end: () => Promise<void>,
): void {
  if (!hasServer) return;
  if (sharing === 'shared') {
    beforeAll(begin);
    afterAll(end);
  } else {
    beforeEach(begin);
    afterEach(end);
  }
}

function beforehand<Made>(made: Made | undefined): Made {
  if (made === undefined) throw new Error('asked for before the tests began');
  return made;
}
