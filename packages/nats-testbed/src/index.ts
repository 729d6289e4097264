/** Real NATS servers for tests, on loopback, gone with the tests. */
export { freePorts, hasServer, startServer, type TestServer } from './nats-server.js';
export { testFolder, type TestFolder } from './test-folder.js';
export {
  withServer,
  withServers,
  type ServerInUse,
  type ServerSetup,
  type Sharing,
} from './with-server.js';
