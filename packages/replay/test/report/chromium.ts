/**
 * Chromium for tests, over the DevTools protocol on a pipe: no port, no package. It is not installed by
 * the tests; `.ci/run` does that.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const NAMES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];

/** Path of a Chromium, or undefined where there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export interface Screen {
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** Device pixels per CSS pixel. */
  readonly scale?: number;
  readonly dark?: boolean;
  /** As it is for paper. */
  readonly print?: boolean;
}

export interface Page {
  /** What the console and the log have, and exceptions. */
  readonly messages: readonly string[];
  /** Addresses that were asked for, that of the page itself included. */
  readonly requests: readonly string[];
  /** Value of an expression, awaited; it must be JSON. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** Gives the page another screen. */
  turn(screen: Screen): Promise<void>;
  /** Moves the pointer there, CSS pixels from the top left. */
  point(x: number, y: number): Promise<void>;
  pdf(): Promise<Buffer>;
  /** Seconds of a processor that the page's process has used since it was started. */
  processorSeconds(): Promise<number>;
  close(): Promise<void>;
}

export interface Browser {
  /** Loads a page, and waits until it is loaded and two frames are drawn. */
  open(url: string, screen: Screen): Promise<Page>;
  close(): Promise<void>;
}

export async function startChromium(path: string): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const child = spawn(
    path,
    [
      '--headless',
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
      // Tests run as root in containers, where Chromium has no sandbox of its own.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--hide-scrollbars',
      '--no-first-run',
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const connection = connect(child);
  return {
    open: async (url, screen) => openPage(connection, url, screen),
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      // It may be gone before it has answered.
      void connection.send('Browser.close').catch(() => undefined);
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

type Parameters = Readonly<Record<string, unknown>>;
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Parameters;
  readonly result?: Parameters;
  readonly error?: { readonly message: string };
  readonly sessionId?: string;
}

interface Connection {
  send(method: string, params?: Parameters, sessionId?: string): Promise<Parameters>;
  /** @param hear gets the events of a session */
  listen(sessionId: string, hear: (method: string, params: Parameters) => void): void;
}

/** Messages are JSON, and end with a NUL. */
function connect(child: ChildProcess): Connection {
  const waiting = new Map<number, { done(value: Parameters): void; failed(error: Error): void }>();
  const listeners = new Map<string, (method: string, params: Parameters) => void>();
  const input = child.stdio[3] as Writable;
  const output = child.stdio[4] as Readable;
  let next = 1;
  let rest = '';
  output.setEncoding('utf8').on('data', (text: string) => {
    const messages = (rest + text).split('\0');
    rest = messages.pop() ?? '';
    for (const message of messages) hear(JSON.parse(message) as Message);
  });
  const fail = (why: string): void => {
    for (const request of waiting.values()) request.failed(new Error(why));
    waiting.clear();
  };
  input.on('error', () => undefined);
  child.once('error', (error) => fail(`Chromium cannot be started: ${error.message}`));
  child.once('exit', (code) => fail(`Chromium has ended (${code})`));

  function hear({ id, method, params = {}, result = {}, error, sessionId }: Message): void {
    if (id === undefined) {
      if (method !== undefined) listeners.get(sessionId ?? '')?.(method, params);
      return;
    }
    const request = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) request?.done(result);
    else request?.failed(new Error(error.message));
  }
  return {
    send: async (method, params = {}, sessionId) =>
      new Promise((done, failed) => {
        const id = next++;
        waiting.set(id, { done, failed });
        input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
      }),
    listen: (sessionId, listener) => listeners.set(sessionId, listener),
  };
}

async function openPage(connection: Connection, url: string, screen: Screen): Promise<Page> {
  const { targetId } = await connection.send('Target.createTarget', { url: 'about:blank' });
  const attached = await connection.send('Target.attachToTarget', { targetId, flatten: true });
  const sessionId = String(attached['sessionId']);
  const send = async (method: string, params?: Parameters): Promise<Parameters> =>
    connection.send(method, params, sessionId);
  const messages: string[] = [];
  const requests: string[] = [];
  const loaded = new Promise<void>((resolve) =>
    connection.listen(sessionId, (method, params) => {
      if (method === 'Page.loadEventFired') resolve();
      else if (method === 'Network.requestWillBeSent')
        requests.push((params['request'] as { url: string }).url);
      else if (SAYS_SOMETHING.has(method)) messages.push(`${method} ${JSON.stringify(params)}`);
    }),
  );
  for (const domain of ['Page', 'Runtime', 'Log', 'Network', 'Performance'])
    await send(`${domain}.enable`);
  const emulate = async ({ width, height, scale, dark, print }: Screen): Promise<void> => {
    await send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: scale ?? 1,
      mobile: width < 600,
    });
    await send('Emulation.setEmulatedMedia', {
      media: print === true ? 'print' : '',
      features: [{ name: 'prefers-color-scheme', value: dark === true ? 'dark' : 'light' }],
    });
  };
  await emulate(screen);
  const { errorText } = await send('Page.navigate', { url });
  if (errorText !== undefined) throw new Error(`${url}: ${JSON.stringify(errorText)}`);
  await loaded;
  const evaluate = async <Value>(expression: string): Promise<Value> => {
    const { result, exceptionDetails } = await send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined)
      throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value: Value }).value;
  };
  const drawn = async (): Promise<void> =>
    evaluate(
      'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))',
    );
  await drawn();
  const bytes = async (method: string, params: Parameters): Promise<Buffer> =>
    Buffer.from(String((await send(method, params))['data']), 'base64');
  return {
    messages,
    requests,
    evaluate,
    turn: async (other) => {
      await emulate(other);
      await drawn();
    },
    point: async (x, y) => {
      await send('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y });
      await drawn();
    },
    pdf: async () => bytes('Page.printToPDF', { preferCSSPageSize: true, printBackground: true }),
    processorSeconds: async () => {
      const { metrics } = await send('Performance.getMetrics');
      const found = (metrics as { name: string; value: number }[]).find(
        ({ name }) => name === 'ProcessTime',
      );
      if (found === undefined) throw new Error('Chromium does not tell its ProcessTime');
      return found.value;
    },
    close: async () => void (await connection.send('Target.closeTarget', { targetId })),
  };
}

const SAYS_SOMETHING = new Set([
  'Runtime.consoleAPICalled',
  'Runtime.exceptionThrown',
  'Log.entryAdded',
]);
