/** The options of `attach` and `import` that publish what they write. */
import type { Command } from 'commander';
import { ProgramError } from '@vhostscope/terminal';
import { parseDuration } from '../attach/parse-duration.js';
import { parseSpoolSize } from './parse-byte-size.js';

export interface PublishFlags {
  /** URL of a server. */
  readonly publish?: string;
  /** Name of the host whose run it is. */
  readonly publishAs?: string;
  /** ms */
  readonly publishWait?: number;
  readonly spool?: string;
  /** Bytes. */
  readonly spoolMax?: number;
}

/** @throws ProgramError where something is said of what is not published */
export function checkPublishFlags(flags: PublishFlags): void {
  if (flags.publish !== undefined) return;
  const { publishAs, publishWait, spool, spoolMax } = flags;
  const options = [
    publishAs === undefined ? [] : '--publish-as',
    publishWait === undefined ? [] : '--publish-wait',
    spool === undefined ? [] : '--spool',
    spoolMax === undefined ? [] : '--spool-max',
  ].flat();
  if (options.length > 0)
    throw new ProgramError(
      `nothing is published, and ${options.join(', ')} ${options.length === 1 ? 'is' : 'are'} of what is`,
      { advice: 'name the server, too: --publish nats://host' },
    );
}

export function withPublishOptions(command: Command): Command {
  return command
    .option(
      '--publish <url>',
      'send the trace to a NATS server while it is written: nats://host[:port][/prefix]; default: to none',
    )
    .option('--publish-as <host>', "the host's name on the server; default: that of this machine")
    .option(
      '--publish-wait <time>',
      'how long to wait at the end until the server has it all; the rest stays in the spool, and an import exits with 1; default: 30s',
      parseDuration,
    )
    .option('--spool <folder>', `where what is to be sent waits; default: ${SPOOL_DEFAULT}`)
    .option(
      '--spool-max <size>',
      'what the spool may hold, such as 500MB; when it is full the recording ends; default: 1GiB',
      parseSpoolSize,
    );
}

export const SPOOL_DEFAULT =
  '/var/lib/vhostscope/spool for root, else vhostscope/spool in $XDG_STATE_HOME or ~/.local/state';

export const PUBLISH_HELP = `
What --publish sends goes to a spool on disk first, and from there to the server: when the server is away, the
recording goes on, and what is not sent is with the next --publish, or collector fleet send. Who one is to the server
is said by the environment: NATS_USER and NATS_PASSWORD, NATS_TOKEN, or NATS_CREDS or NATS_NKEY with the path of a
file; NATS_CA, NATS_CERT and NATS_KEY are paths for TLS. Ctrl-C while the server is waited for leaves the rest in the
spool, and exits with 130.`;
