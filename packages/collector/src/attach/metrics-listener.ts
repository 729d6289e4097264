/** Gives metrics to whoever asks by HTTP, and hears nothing else. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OutputError, reasonOf } from '@vhostscope/trace';
import type { ListenAddress } from './parse-listen-address.js';

export interface MetricsListener {
  /** Where they are: an URL, with the port that was taken. */
  readonly url: string;
  /** From now on there is something to tell. */
  serve(metrics: MetricsText): void;
  close(): void;
}

export interface MetricsText {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** Whoever watches has one connection, or a few. */
const MAX_CONNECTIONS = 32;
/** For a request of a few hundred bytes. */
const PATIENCE_MS = 5000;

/** @throws OutputError when it cannot listen there */
export async function openMetricsListener({ host, port }: ListenAddress): Promise<MetricsListener> {
  let told: MetricsText | undefined;
  const server = createServer(
    { headersTimeout: PATIENCE_MS, requestTimeout: PATIENCE_MS, connectionsCheckingInterval: 1000 },
    (request, response) => {
      const answer = (status: number, type: string, text: string): void => {
        response.writeHead(status, {
          'content-type': type,
          'content-length': Buffer.byteLength(text),
          'x-content-type-options': 'nosniff',
          // Nobody keeps a place that others may want.
          connection: 'close',
        });
        response.end(request.method === 'HEAD' ? undefined : text);
      };
      const refuse = (status: number, text: string): void =>
        answer(status, 'text/plain; charset=utf-8', `${text}\n`);
      const [path] = (request.url ?? '').split('?');
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('allow', 'GET, HEAD');
        refuse(405, 'only GET');
      } else if (path !== '/metrics') refuse(404, 'the metrics are at /metrics');
      else if (told === undefined) refuse(503, 'the probes are being attached');
      else {
        const { contentType } = told;
        told.metrics().then(
          (text) => answer(200, contentType, text),
          () => refuse(500, 'the metrics could not be told'),
        );
      }
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  // Of who does not take the answer.
  server.timeout = PATIENCE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new OutputError(`cannot listen on ${urlHost(host)}:${port}: ${reasonOf(error)}`)),
    );
    server.listen({ host, port }, resolve);
  });
  // A connection that cannot be taken costs nobody the recording.
  server.on('error', () => undefined);
  // The recording decides when the program ends.
  server.unref();
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${urlHost(host)}:${taken}/metrics`,
    serve: (metrics) => {
      told = metrics;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
