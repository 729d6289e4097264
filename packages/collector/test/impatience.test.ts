/** Ctrl-C while a server is waited for: one exit code, whichever command it is, where something stays in the spool. */
import { readdirSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { fakeHost } from './fake-host.ts';
import { collector, collectorOn, type Outcome } from './in-process.ts';
import { inOwnFolders } from './own-folders.ts';
import { example } from './traces.ts';

inOwnFolders();

/** Nobody listens there. */
const AWAY = 'nats://127.0.0.1:1';
const SPOOL = ['--spool', 'spool'];
const PUBLISH = ['--publish', AWAY, '--publish-as', 'h', ...SPOOL, '--publish-wait'];
const RECORD = ['attach', '--duration', '300ms', '--json', ...PUBLISH];

const attach = (...args: string[]): Promise<Outcome> => collectorOn(fakeHost({}), ...args);

/** Sends SIGINT to this process when it has said something. */
function interruptAt(words: string): void {
  const timer = setInterval(() => {
    const write: unknown = Reflect.get(process.stderr, 'write');
    const said = vi.isMockFunction(write) ? write.mock.calls : [];
    if (!said.some(([text]) => String(text).includes(words))) return;
    clearInterval(timer);
    process.emit('SIGINT', 'SIGINT');
  }, 20);
}

const WAITING = 'waiting for the server to take the rest';

it.each([
  ['attach', () => attach(...RECORD, '60s')],
  ['attach --strict', () => attach(...RECORD, '60s', '--strict')],
  ['import', () => collector('import', example('u5'), ...PUBLISH, '60s')],
  [
    'import --merge',
    () => {
      const files = [example('u5'), example('s3')];
      const merged = ['--merge', '--different-hosts', '--offset', `${files[1]}=0`];
      return collector('import', ...files, ...merged, ...PUBLISH, '60s');
    },
  ],
])('%s exits with 130', async (_, run) => {
  interruptAt(WAITING);
  const { code, err } = await run();
  expect(err).toContain(WAITING);
  expect(err).toContain('the rest waits in spool');
  expect(code).toBe(130);
  expect(readdirSync('spool')).toHaveLength(1);
});

it('a recording whose server was waited for in vain is done, but for --strict', async () => {
  expect(await attach(...RECORD, '50ms')).toMatchObject({ code: 0 });
  expect(await attach(...RECORD, '50ms', '--strict')).toMatchObject({ code: 1 });
});
