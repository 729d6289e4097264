/** Where a fleet's server is, as it is named on the command line. */
import { ProgramError } from '@vhostscope/terminal';

/** `nats://host[:port][,host[:port]…][/PREFIX][/HOST/RUN]` */
export interface FleetUrl {
  /** As the client takes them, host:port. */
  readonly servers: readonly string[];
  /** Whether the URL asks for TLS (`tls://`); a server may ask for it by itself. */
  readonly tls: boolean;
  /** First token of all subjects. */
  readonly prefix: string;
  /** A run, where one is named. */
  readonly run: RunName | undefined;
  /** As it is said in messages and kept in a spool: without the run, in one form. */
  readonly name: string;
}

/** A run of a host. Both names may hold anything but nothing at all. */
export interface RunName {
  readonly host: string;
  readonly run: string;
}

const DEFAULT_PREFIX = 'vhostscope';
const DEFAULT_PORT = 4222;
const FORM = 'nats://host[:port][/prefix][/HOST/RUN], or tls://…';

/** Whether an argument names a server and not a file. */
export function isFleetUrl(text: string): boolean {
  return /^(?:nats|tls):\/\//i.test(text);
}

/**
 * Reads a URL; one segment of its path is a prefix, two are a host and a run, three are all of them.
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
  if (scheme === '' || authority === '') throw notAUrl(text, 'it names no server');
  const servers = authority.split(',').map((server) => serverOf(server, text));
  const segments = path.replace(/\/$/, '') === '' ? [] : path.replace(/\/$/, '').split('/');
  if (segments.length > 3 || segments.includes(''))
    throw notAUrl(text, 'its path is neither a prefix nor a host and a run');
  const prefix = segments.length % 2 === 1 ? segments[0] : DEFAULT_PREFIX;
  // In capitals it names the stream, so it has none of its own.
  if (!/^[a-z][a-z0-9_-]{0,31}$/.test(prefix))
    throw notAUrl(text, 'its prefix is not of a-z, 0-9, _ and -, 32 at most');
  const [host, run] = segments.slice(-2).map((segment) => decoded(segment, text));
  const isTls = scheme.toLowerCase() === 'tls';
  return {
    servers,
    tls: isTls,
    prefix,
    run: segments.length < 2 ? undefined : { host, run },
    name: `${isTls ? 'tls' : 'nats'}://${servers.join(',')}${prefix === DEFAULT_PREFIX ? '' : `/${prefix}`}`,
  };
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

function notAUrl(text: string, why: string): ProgramError {
  return new ProgramError(`${text} is no URL of a server: ${why}`, { advice: `expected ${FORM}` });
}
