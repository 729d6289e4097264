/** The commands of `collector fleet` and their options. */
import { Command } from 'commander';
import { parseDuration } from '../attach/parse-duration.js';
import type { FleetInitOptions } from './fleet-init-command.js';
import type { FleetSendOptions } from './fleet-send-command.js';
import { parseAge, parseReplicas } from './parse-age.js';
import { parseByteSize } from './parse-byte-size.js';
import { SPOOL_DEFAULT } from './publish-flags.js';

const URL = 'nats://host[:port][/prefix], or tls://…';

/** @param onDone gets the exit code */
export function fleetCommand(onDone: (exitCode: number) => void): Command {
  const fleet = new Command('fleet')
    .description('the NATS server that holds the runs of many hosts')
    .addHelpText('after', FLEET_HELP);
  fleet
    .command('init')
    .description('make the stream that holds the runs, or change its limits')
    .addHelpText('after', INIT_HELP)
    .argument('<url>', URL)
    .option('--replicas <n>', 'in a cluster: on so many servers; default: 1', parseReplicas)
    .option(
      '--max-bytes <size>',
      'what it may take, such as 100GB; when it is full, hosts wait and spool; default: no limit',
      parseByteSize,
    )
    .option('--max-age <age>', 'delete what is older, such as 30d; default: nothing', parseAge)
    .option(
      '--allow-deleting',
      'let the server delete the oldest of what it holds, where the new limits are less: that is refused without it',
    )
    .option('--json', 'print what was done as one JSON document')
    .action(async (url: string, options: FleetInitOptions) => {
      const { fleetInitCommand } = await import('./fleet-init-command.js');
      onDone(await fleetInitCommand(url, options));
    });
  fleet
    .command('status')
    .description('which runs it holds, of which hosts')
    .addHelpText('after', STATUS_HELP)
    .argument('<url>', `${URL}; /HOST or /HOST/RUN behind it for these alone`)
    .option('--json', 'print one JSON document')
    .action(async (url: string, options: { readonly json?: boolean }) => {
      const { fleetStatusCommand } = await import('./fleet-status-command.js');
      onDone(await fleetStatusCommand(url, options));
    });
  fleet
    .command('send')
    .description('send what earlier recordings could not; exit 1 when not all of it is sent')
    .addHelpText('after', SEND_HELP)
    .argument('<url>', URL)
    .option('--spool <folder>', `where it waits; default: ${SPOOL_DEFAULT}`)
    .option(
      '--wait <time>',
      'give up when the server has taken nothing for so long; default: 30s',
      parseDuration,
    )
    .option('--json', 'print what was done as one JSON document')
    .action(async (url: string, options: FleetSendOptions) => {
      const { fleetSendCommand } = await import('./fleet-send-command.js');
      onDone(await fleetSendCommand(url, options));
    });
  return fleet;
}

const FLEET_HELP = `
Who one is to the server is said by the environment, as for the nats command: NATS_USER and NATS_PASSWORD, NATS_TOKEN,
or NATS_CREDS or NATS_NKEY with the path of a file; NATS_CA, NATS_CERT and NATS_KEY are paths for TLS.

Examples:
  collector fleet init nats://lab:4222 --max-bytes 100GB --max-age 30d
  collector attach --publish nats://lab:4222    on each host
  collector fleet status nats://lab:4222
  replay run nats://lab:4222/HOST/RUN`;

const INIT_HELP = `
Examples:
  collector fleet init nats://lab:4222 --max-bytes 100GB --max-age 30d
  collector fleet init tls://a,b,c/vhost --replicas 3   a cluster, and a prefix of its own`;

const STATUS_HELP = `
Examples:
  collector fleet status nats://lab:4222
  collector fleet status nats://lab:4222 --json         with sizes, clocks and what is missing`;

const SEND_HELP = `
Examples:
  collector fleet send nats://lab:4222
  collector fleet send nats://lab:4222 --wait 10m       a server that is away for longer

Ctrl-C leaves the rest in the spool, and exits with 130.`;
