/** Where a fleet's server is, as it is named on the command line. */
import { ProgramError } from '@vhostscope/terminal';

/** `nats://host[:port][,host[:port]…][/PREFIX][/HOST[/RUN]]` */
export interface FleetUrl {
  /** As the client takes them, host:port. */
  readonly servers: readonly string[];
  /** Whether the URL asks for TLS (`tls://`); a server may ask for it by itself. */
  readonly tls: boolean;
  /** First token of all subjects. */
  readonly prefix: string;
  /** A host, where one is named and no run of it. */
  readonly host: string | undefined;
  /** A run, where one is named. */
  readonly run: RunName | undefined;
  /** As it is said in messages and kept in a spool: without host and run, in one form. */
  readonly name: string;
  /** What else it may name: only the server knows whether a word is a prefix or a host. */
  readonly otherwise: FleetUrl | undefined;
}

/** A run of a host. Both names may hold anything but nothing at all. */
export interface RunName {
  readonly host: string;
  readonly run: string;
}

const DEFAULT_PREFIX = 'vhostscope';
const DEFAULT_PORT = 4222;
const FORM = 'nats://host[:port][/prefix][/HOST/RUN], or tls://…';
const SERVER_FORM = 'nats://host[:port][/prefix], or tls://…';

/** Whether an argument names a server and not a file. */
export function isFleetUrl(text: string): boolean {
  return /^(?:nats|tls):\/\//i.test(text);
}

/**
 * Reads a URL. One word of a path is a prefix, or else a host; two are a host and its run, or else a prefix and a
 * host; three are all of them.
 *
 * @throws ProgramError
 */
export function parseFleetUrl(text: string): FleetUrl {
  const [, scheme = '', authority = '', path = ''] =
    /^(nats|tls):\/\/([^/]*)(?:\/(.*))?$/is.exec(text) ?? [];
  // Not even repeated: it stands in the process list and in the shell's history already.
  if (authority.includes('@'))
    throw new ProgramError('the URL of the server holds a user or a password', {
      advice:
        'take it out of the command line, where others see it: set NATS_USER and NATS_PASSWORD, NATS_TOKEN, or NATS_CREDS or NATS_NKEY to the path of a file',
    });
  if (scheme === '') throw notAUrl(text, 'it does not begin with nats:// or tls://');
  if (authority === '') throw notAUrl(text, 'it names no server');
  const servers = authority.split(',').map((server) => serverOf(server, text));
  const segments = path.replace(/\/$/, '') === '' ? [] : path.replace(/\/$/, '').split('/');
  if (segments.length > 3 || segments.includes(''))
    throw notAUrl(text, 'its path is neither a prefix nor a host and a run');
  const isTls = scheme.toLowerCase() === 'tls';
  const server = `${isTls ? 'tls' : 'nats'}://${servers.join(',')}`;
  /** The rest of the path names what is in it. */
  const reading = (prefix: string, rest: readonly string[]): FleetUrl => {
    const [host, run] = rest.map((segment) => decoded(segment, text));
    return {
      servers,
      tls: isTls,
      prefix,
      host: rest.length === 1 ? host : undefined,
      run: rest.length === 2 ? { host, run } : undefined,
      name: prefix === DEFAULT_PREFIX ? server : `${server}/${prefix}`,
      otherwise: undefined,
    };
  };
  const [first = '', ...rest] = segments;
  if (segments.length === 0) return reading(DEFAULT_PREFIX, []);
  if (segments.length === 3) {
    if (!isPrefix(first)) throw notAUrl(text, NO_PREFIX);
    return reading(first, rest);
  }
  const ofDefault = reading(DEFAULT_PREFIX, segments);
  if (!isPrefix(first)) return ofDefault;
  const ofPrefix = reading(first, rest);
  return segments.length === 1
    ? { ...ofPrefix, otherwise: ofDefault }
    : { ...ofDefault, otherwise: ofPrefix };
}

/** In capitals it names the stream, so it has none of its own. */
function isPrefix(word: string): boolean {
  return /^[a-z][a-z0-9_-]{0,31}$/.test(word);
}

const NO_PREFIX = 'its prefix is not of a-z, 0-9, _ and -, beginning with a letter, 32 at most';

/**
 * The URL of a server to which runs are sent, or which is made ready for them: one word of its path is a prefix.
 *
 * @throws ProgramError
 */
export function parseServerUrl(text: string): FleetUrl {
  const url = parseFleetUrl(text);
  if (url.run !== undefined)
    throw new ProgramError(`${text} names a run, and a server is to be named`, {
      advice: `expected ${SERVER_FORM}`,
    });
  if (url.host !== undefined) throw notAUrl(text, NO_PREFIX, SERVER_FORM);
  return url;
}

/** How a run is named in a command. */
export function urlOfRun({ name }: FleetUrl, { host, run }: RunName): string {
  return `${name}/${encodeURIComponent(host)}/${encodeURIComponent(run)}`;
}

function serverOf(server: string, url: string): string {
  const [, host, port = String(DEFAULT_PORT)] =
    /^([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?$/.exec(server) ?? [];
  if (host === undefined || Number(port) > 65_535 || Number(port) === 0)
    throw notAUrl(url, `"${server}" is no host and port`);
  return `${host}:${Number(port)}`;
}

function decoded(segment: string, url: string): string {
  let name: string;
  try {
    name = decodeURIComponent(segment);
  } catch {
    throw notAUrl(url, `"${segment}" is not encoded as a part of a URL is`);
  }
  return name;
}

function notAUrl(text: string, why: string, form = FORM): ProgramError {
  return new ProgramError(`${text} is no URL of a server: ${why}`, { advice: `expected ${form}` });
}
