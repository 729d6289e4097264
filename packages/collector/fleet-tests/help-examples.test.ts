/** What `--help` of any program shows of a server runs, against a real one. The others: `scripts/help-examples.test.mjs`. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { hasServer, withServer } from '@vhostscope/nats-testbed';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const HELP = readFileSync(join(ROOT, 'docs/reference/commands.md'), 'utf8');

/** Without what is explained beside them. */
const EXAMPLES = [
  ...new Set(
    [...HELP.matchAll(/^ {2}((?:collector|replay|tui) .*(?:nats|tls):.*)$/gm)].map(
      ([, line = '']) => line.trim().replace(/ {2,}.*$/, ''),
    ),
  ),
];

/** Not run here, and where it is. */
const NOT_RUN = [
  // Records a host: attach-publish.test.ts.
  /^collector attach /,
  // A cluster with certificates: packages/fleet/fleet-tests/cluster.test.ts, refusals.test.ts.
  /tls:/,
];

/** They go on until they are interrupted. */
const ENDLESS = /^replay fleet-worker|^tui --from nats:\/\/\w+$/;
const INTERRUPTED = 130;

/** First what the others read. */
const ORDER = [/^collector fleet init/, /^collector import/, /./];

const server = withServer('shared');

function run(command: string) {
  return spawnSync('bash', ['-o', 'pipefail', '-c', command], {
    cwd: server.folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      XDG_STATE_HOME: server.folder,
      PATH: `${join(ROOT, 'node_modules/.bin')}${delimiter}${process.env['PATH']}`,
    },
  });
}

/** The example, of the server that there is and of a run that it holds. */
function here(example: string): string {
  const ofRun = example.includes('/HOST/RUN') ? `/${firstRun()}` : '';
  const spool = /--publish|fleet send/.test(example) ? ' --spool spool' : '';
  const url = /nats:\/\/\w+(?::4222)?(?:\/HOST\/RUN)?/;
  // A disk for tests has no room for 100 GB.
  const command = `${example.replace(url, server.url + ofRun).replace('100GB', '100MB')}${spool}`;
  if (ENDLESS.test(example)) return `timeout --preserve-status -s INT 5 ${command}`;
  if (!example.includes('--share')) return command;
  return `replay fleet-worker ${server.url} & worker=$!; ${command}; status=$?; kill -INT $worker; wait $worker; exit $status`;
}

function firstRun(): string {
  const { runs } = JSON.parse(run(`collector fleet status ${server.url} --json`).stdout) as {
    runs: { host: string; run: string }[];
  };
  return `${runs[0]?.host}/${runs[0]?.run}`;
}

const TO_RUN = EXAMPLES.filter((example) => !NOT_RUN.some((form) => form.test(example))).toSorted(
  (a, b) => ORDER.findIndex((form) => form.test(a)) - ORDER.findIndex((form) => form.test(b)),
);

describe.skipIf(!hasServer)('examples of --help', () => {
  it('are found', () => {
    expect(TO_RUN.length).toBeGreaterThan(10);
    expect(TO_RUN[0]).toContain('collector fleet init');
  });

  it.each(TO_RUN)('%s', { timeout: 60_000 }, (example) => {
    copyFileSync(join(ROOT, 'examples/u5-json-q256.txt.gz'), join(server.folder, 'run.txt.gz'));
    const { status, stdout, stderr } = run(here(example));
    expect({ stdout, stderr, status }).toEqual({
      stdout,
      stderr,
      status: ENDLESS.test(example) ? INTERRUPTED : 0,
    });
  });
});
