/**
 * What `nsc` makes for a server whose users are not in its configuration: an operator, accounts that it signed, and
 * files of credentials of users that an account signed. Only a real server says whether they are good.
 */
import { nkeys } from '@nats-io/transport-node';

type KeyPair = ReturnType<typeof nkeys.createUser>;

export interface Account {
  /** Lines of the server's configuration. */
  readonly config: readonly string[];
  /** The text of a file of credentials. */
  credentials(user?: UserClaims): string;
}

export interface UserClaims {
  /** s since 1970 */
  readonly expires?: number;
  /** Subjects; without them all. */
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
}

const NO_LIMIT = -1;

/** @param hasJetStream whether the account may use it */
export function makeAccount(hasJetStream: boolean): Account {
  const operator = nkeys.createOperator();
  const [account, system] = [nkeys.createAccount(), nkeys.createAccount()];
  const connections = ['conn', 'leaf', 'subs', 'data', 'payload', 'imports', 'exports'];
  const storage = ['mem_storage', 'disk_storage', 'streams', 'consumer'];
  const limits = {
    ...without(connections),
    wildcards: true,
    ...(hasJetStream && without(storage)),
  };
  const ofOperator = signed(operator, operator, { type: 'operator' });
  const ofAccount = signed(account, operator, { type: 'account', limits });
  // JetStream asks for one.
  const ofSystem = signed(system, operator, { type: 'account', limits: without(connections) });
  return {
    config: [
      `operator: ${ofOperator}`,
      `system_account: ${system.getPublicKey()}`,
      'resolver: MEMORY',
      `resolver_preload: { ${account.getPublicKey()}: ${ofAccount}, ${system.getPublicKey()}: ${ofSystem} }`,
    ],
    credentials: ({ expires, publish, subscribe } = {}) => {
      const user = nkeys.createUser();
      const claims = {
        type: 'user',
        ...without(['subs', 'data', 'payload']),
        ...(publish && { pub: { allow: publish } }),
        ...(subscribe && { sub: { allow: subscribe } }),
      };
      const jwt = signed(user, account, claims, expires);
      const seed = Buffer.from(user.getSeed()).toString();
      return [
        '-----BEGIN NATS USER JWT-----',
        jwt,
        '------END NATS USER JWT------',
        '',
        '-----BEGIN USER NKEY SEED-----',
        seed,
        '------END USER NKEY SEED------',
        '',
      ].join('\n');
    },
  };
}

function without(limits: readonly string[]): Record<string, number> {
  return Object.fromEntries(limits.map((name) => [name, NO_LIMIT]));
}

function signed(subject: KeyPair, issuer: KeyPair, nats: object, expires?: number): string {
  const claims = {
    jti: subject.getPublicKey(),
    iat: Math.floor(Date.now() / 1000),
    ...(expires !== undefined && { exp: expires }),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    nats: { ...nats, version: 2 },
  };
  const parts = [{ typ: 'JWT', alg: 'ed25519-nkey' }, claims];
  const text = parts.map((part) => base64(JSON.stringify(part))).join('.');
  return `${text}.${base64(issuer.sign(Buffer.from(text)))}`;
}

function base64(bytes: string | Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
