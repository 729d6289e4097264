import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { nkeys } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { hasServer, withServers } from '@vhostscope/nats-testbed';
import { endOfStream } from '@vhostscope/trace';
import { openFleet } from '../src/index.js';
import type { Environment } from '../src/server-credentials.js';
import { appendAll, initFleet, never, publisherTo, traceOnServer } from './runs.js';

const servers = withServers('for each test');

const spool = (): string => join(servers.folder, 'spool');
const file = (name: string): string => join(servers.folder, name);

async function refusal(url: string, env: Environment = {}): Promise<string> {
  try {
    const publisher = await publisherTo(url, spool(), { env });
    await publisher.close();
    if (publisher.told.length > 0) return publisher.told.join('; ');
  } catch (error) {
    const { message, advice, exitCode } = error as Error & { advice?: string; exitCode?: number };
    expect(exitCode).toBe(2);
    return `${message}; ${advice}`;
  }
  return 'let in';
}

/** Publishes something small. */
async function works(url: string, env: Environment): Promise<boolean> {
  await initFleet(url, {}, env);
  const publisher = await publisherTo(url, spool(), { env });
  appendAll(publisher, [new Uint8Array(10)]);
  const { isSent } = await publisher.finish(10_000, never());
  await publisher.close();
  return isSent;
}

describe.skipIf(!hasServer)('a server that refuses', () => {
  it('a password: at once, without repeating it', async () => {
    const server = await servers.start(['authorization { user: me, password: s3cret }']);
    const { url } = server;
    const words = await refusal(url, { NATS_USER: 'me', NATS_PASSWORD: 'wr0ng' });
    expect(words).toMatch(/does not let us in: .*NATS_PASSWORD/);
    expect(words).not.toMatch(/wr0ng|s3cret/);
    expect(await refusal(url)).toContain('does not let us in');
    expect(await works(url, { NATS_USER: 'me', NATS_PASSWORD: 's3cret' })).toBe(true);
  });

  it('a token', async () => {
    const server = await servers.start(['authorization { token: t0ken }']);
    expect(await refusal(server.url, { NATS_TOKEN: 'other' })).toContain('does not let us in');
    expect(await works(server.url, { NATS_TOKEN: 't0ken' })).toBe(true);
  });

  it('a key', async () => {
    const [mine, other] = [nkeys.createUser(), nkeys.createUser()];
    for (const [name, key] of [
      ['mine.nk', mine],
      ['other.nk', other],
    ] as const)
      writeFileSync(file(name), `# a seed\n${Buffer.from(key.getSeed()).toString()}\n`);
    writeFileSync(file('none.nk'), 'SU-not-a-seed');
    const server = await servers.start([
      `authorization { users: [ { nkey: ${mine.getPublicKey()} } ] }`,
    ]);
    const { url } = server;
    expect(await refusal(url, { NATS_NKEY: file('other.nk') })).toContain('does not let us in');
    expect(await refusal(url, { NATS_NKEY: file('none.nk') })).toMatch(
      /none.nk is no file of cred/,
    );
    expect(await refusal(url, { NATS_NKEY: file('gone.nk') })).toMatch(
      /cannot read .*no such file/,
    );
    expect(await refusal(url, { NATS_CREDS: file('mine.nk') })).toMatch(/no file of credentials/);
    expect(await refusal(url, { NATS_NKEY: file('mine.nk'), NATS_TOKEN: 'x' })).toContain(
      'both set',
    );
    expect(await works(url, { NATS_NKEY: file('mine.nk') })).toBe(true);
  });

  it('or cannot be trusted: expired, of another host, of nobody that is known', async () => {
    makeCertificates();
    const tls = (name: string): string[] => [
      `tls { cert_file: "${file(`${name}.pem`)}", key_file: "${file(`${name}.key`)}" }`,
    ];
    const env = { NATS_CA: file('ca.pem') };
    let server = await servers.start(tls('expired'));
    expect(await refusal(server.url, env)).toMatch(
      /cannot be trusted: its certificate has expired/,
    );
    await server.stop();
    server = await servers.start(tls('elsewhere'));
    expect(await refusal(server.url, env)).toContain('is of another host');
    await server.stop();
    server = await servers.start(tls('local'));
    expect(await refusal(server.url, env)).toContain('is of another host');
    await server.stop();
    server = await servers.start(tls('good'));
    expect(await refusal(server.url)).toMatch(/authority that is not known here; NATS_CA/);
    expect(await works(server.url.replace('nats:', 'tls:'), env)).toBe(true);
    expect(await works(server.url, env)).toBe(true);
  });

  it('who has no certificate of a client that it knows', async () => {
    makeCertificates();
    const files = `cert_file: "${file('good.pem')}", key_file: "${file('good.key')}"`;
    const server = await servers.start([
      `tls { ${files}, ca_file: "${file('ca.pem')}", verify: true }`,
    ]);
    const env = { NATS_CA: file('ca.pem') };
    const client = (name: string): Environment => ({
      ...env,
      NATS_CERT: file(`${name}.pem`),
      NATS_KEY: file(`${name}.key`),
    });
    // Such a server cuts the connection without a reason: as far as is known, it is away.
    expect(await refusal(server.url, env)).toMatch(/is away: .*NATS_CERT/);
    expect(await works(server.url, client('elsewhere'))).toBe(true);
  });

  it('TLS, where it is asked for', async () => {
    const server = await servers.start();
    expect(await refusal(server.url.replace('nats:', 'tls:'))).toMatch(/tls|TLS/);
  });

  it('or lacks what is needed', async () => {
    let server = await servers.start([], { jetstream: false });
    expect(await refusal(server.url)).toMatch(/has no JetStream.*--jetstream/);
    await server.stop();
    server = await servers.start(['max_payload: 100000']);
    expect(await refusal(server.url)).toMatch(/messages of 100000 bytes.*max_payload/);
    await server.stop();
    server = await servers.start();
    expect(await refusal(server.url)).toMatch(/no stream VHOSTSCOPE_RUNS.*collector fleet init/);
    await expect(openFleet('nats://127.0.0.1:1', {})).rejects.toThrow('is away');
  });

  it('nothing to a user who may do just what publishing takes', async () => {
    const allowed = '["vhostscope.>", "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.MSG.GET.*"]';
    const server = await servers.start([
      'authorization { users: [',
      '  { user: me, password: a }',
      `  { user: host, password: b, permissions: { publish: ${allowed}, subscribe: "_INBOX.>" } }`,
      '] }',
    ]);
    await initFleet(server.url, {}, { NATS_USER: 'me', NATS_PASSWORD: 'a' });
    const env = { NATS_USER: 'host', NATS_PASSWORD: 'b' };
    const publisher = await publisherTo(server.url, spool(), { env });
    appendAll(publisher, [new Uint8Array(10)]);
    expect(await publisher.finish(10_000, never())).toMatchObject({ isSent: true });
    await publisher.close();
    expect(publisher.told).toEqual([]);
  });

  it('nothing to a user who may do just what reading takes, but to publish', async () => {
    const allowed = '["$JS.API.STREAM.INFO.*", "$JS.API.STREAM.MSG.GET.*", "$JS.API.CONSUMER.>"]';
    const server = await servers.start([
      'authorization { users: [',
      '  { user: me, password: a }',
      `  { user: reader, password: b, permissions: { publish: ${allowed}, subscribe: "_INBOX.>" } }`,
      '] }',
    ]);
    const me = { NATS_USER: 'me', NATS_PASSWORD: 'a' };
    await initFleet(server.url, {}, me);
    const publisher = await publisherTo(server.url, spool(), { env: me, host: 'web1' });
    const bytes = new Uint8Array(1_000_000).fill(7);
    appendAll(publisher, [bytes, endOfStream()]);
    await publisher.finish(10_000, never());
    await publisher.close();
    const reader = { NATS_USER: 'reader', NATS_PASSWORD: 'b' };
    const read = await traceOnServer(server.url, publisher.name, reader);
    expect(read.equals(Buffer.concat([bytes, endOfStream()]))).toBe(true);
    const fleet = await openFleet(`${server.url}/web1`, reader);
    const watch = await fleet.watchRuns();
    for (let tries = 0; !watch.isCaughtUp; tries++) {
      expect(tries).toBeLessThan(100);
      await pause(50);
    }
    expect([...watch.runs.values()]).toMatchObject([{ host: 'web1', end: 'closed' }]);
    expect(await fleet.listRuns()).toMatchObject([{ host: 'web1', end: 'closed' }]);
    expect((await fleet.readClocks())(publisher.name)).toBeDefined();
    await watch.close();
    await fleet.close();
    const refused = await publisherTo(server.url, spool(), { env: reader });
    appendAll(refused, [new Uint8Array(10)]);
    expect((await refused.finish(1500, never())).trouble).toMatch(/does not let us publish/);
    await refused.close();
  });

  it('to let a user publish', async () => {
    const server = await servers.start([
      'authorization { users: [ { user: me, password: a }, { user: reader, password: b, permissions: { publish: { deny: ["vhostscope.>"] } } } ] }',
    ]);
    const me = { NATS_USER: 'me', NATS_PASSWORD: 'a' };
    await initFleet(server.url, {}, me);
    const reader = { NATS_USER: 'reader', NATS_PASSWORD: 'b' };
    const publisher = await publisherTo(server.url, spool(), { env: reader });
    appendAll(publisher, [new Uint8Array(10)]);
    const { isSent, trouble } = await publisher.finish(1500, never());
    expect(isSent).toBe(false);
    expect(trouble).toMatch(/does not let us publish/i);
    await publisher.close();
  });
});

/** An authority, and certificates that it signed. */
function makeCertificates(): void {
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: servers.folder, stdio: 'pipe' });
  };
  const key = (name: string): string[] => [
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    `${name}.key`,
  ];
  openssl(
    'req',
    '-x509',
    ...key('ca'),
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
  );
  writeFileSync(file('index.txt'), '');
  writeFileSync(file('ca.conf'), CA_CONFIG);
  for (const [name, host, end] of [
    ['good', 'IP:127.0.0.1', '20991231000000Z'],
    ['elsewhere', 'DNS:other.example', '20991231000000Z'],
    ['local', 'DNS:localhost', '20991231000000Z'],
    ['expired', 'IP:127.0.0.1', '20210101000000Z'],
  ] as const) {
    openssl('req', ...key(name), '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(file(`${name}.ext`), `subjectAltName=${host}\n`);
    const from = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`];
    const dates = ['-startdate', '20200101000000Z', '-enddate', end];
    openssl('ca', '-batch', '-config', 'ca.conf', ...from, ...dates);
  }
}

const CA_CONFIG = `[ca]
default_ca = it
[it]
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
rand_serial = yes
policy = any
unique_subject = no
[any]
commonName = supplied
`;
