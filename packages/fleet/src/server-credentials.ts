/** Who we are to the server: from the environment and from files, as the `nats` command has them. */
import { readFileSync } from 'node:fs';
import {
  credsAuthenticator,
  nkeyAuthenticator,
  type Authenticator,
  type ConnectionOptions,
  type TlsOptions,
} from '@nats-io/transport-node';
import { ProgramError } from '@vhostscope/terminal';
import { reasonOf } from '@vhostscope/trace';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Ways to say who one is; a second one beside the first would be ignored by the client without a word. */
const WAYS = ['NATS_CREDS', 'NATS_NKEY', 'NATS_TOKEN', 'NATS_USER'] as const;

/**
 * What the environment says of credentials and certificates. No message holds any of it but names of variables
 * and paths.
 *
 * @throws ProgramError
 */
export function credentialsOf(env: Environment): ConnectionOptions {
  const ways = WAYS.filter((name) => isSet(env, name));
  if (ways.length > 1)
    throw new ProgramError(`${ways.join(' and ')} are both set, and a server takes one`, {
      advice: `unset ${ways.slice(1).join(', ')}, or the other`,
    });
  if (isSet(env, 'NATS_PASSWORD') && !isSet(env, 'NATS_USER'))
    throw new ProgramError('NATS_PASSWORD is set and NATS_USER is not', {
      advice: 'a password is of a user: set both',
    });
  return { ...loginOf(env), ...tlsOf(env) };
}

function isSet(env: Environment, name: string): boolean {
  return (env[name] ?? '') !== '';
}

function loginOf(env: Environment): ConnectionOptions {
  if (isSet(env, 'NATS_CREDS'))
    return { authenticator: tried('NATS_CREDS', env, (bytes) => credsAuthenticator(bytes)) };
  if (isSet(env, 'NATS_NKEY'))
    return {
      authenticator: tried('NATS_NKEY', env, (bytes) => nkeyAuthenticator(seedOf(bytes))),
    };
  if (isSet(env, 'NATS_TOKEN')) return { token: env['NATS_TOKEN'] ?? '' };
  if (isSet(env, 'NATS_USER'))
    return { user: env['NATS_USER'] ?? '', pass: env['NATS_PASSWORD'] ?? '' };
  return {};
}

/** The line of a seed in a file that may hold comments. */
function seedOf(bytes: Uint8Array): Uint8Array {
  const [seed] = /^SU[A-Z2-7]{40,}$/m.exec(Buffer.from(bytes).toString('latin1')) ?? [];
  if (seed === undefined) throw new Error('no seed of a user in it');
  return Buffer.from(seed);
}

function tlsOf(env: Environment): { tls?: TlsOptions } {
  if (isSet(env, 'NATS_CERT') !== isSet(env, 'NATS_KEY')) {
    const [has, lacks] = isSet(env, 'NATS_CERT')
      ? ['NATS_CERT', 'NATS_KEY']
      : ['NATS_KEY', 'NATS_CERT'];
    throw new ProgramError(`${has} is set and ${lacks} is not`, {
      advice: 'a certificate of a client has a key: set both to paths of files',
    });
  }
  const tls: TlsOptions = {
    ...(isSet(env, 'NATS_CA') && { ca: textOf('NATS_CA', env) }),
    ...(isSet(env, 'NATS_CERT') && {
      cert: textOf('NATS_CERT', env),
      key: textOf('NATS_KEY', env),
    }),
  };
  return Object.keys(tls).length === 0 ? {} : { tls };
}

function textOf(name: string, env: Environment): string {
  return Buffer.from(fileOf(name, env)).toString('latin1');
}

/** Makes an authenticator, which reads its file only when it is asked, and asks it. */
function tried(
  name: string,
  env: Environment,
  make: (bytes: Uint8Array) => Authenticator,
): Authenticator {
  const bytes = fileOf(name, env);
  try {
    const authenticator = make(bytes);
    authenticator('nonce');
    return authenticator;
  } catch {
    // What was thrown may repeat what it read.
    throw new ProgramError(`${env[name]} is no file of credentials (${name})`, {
      advice: 'nsc or nk make one; it holds the seed of a user',
    });
  }
}

function fileOf(name: string, env: Environment): Uint8Array {
  const path = env[name] ?? '';
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ProgramError(`cannot read ${path}, which ${name} names: ${reasonOf(error)}`, {
      advice: `${name} is the path of a file`,
    });
  }
}
