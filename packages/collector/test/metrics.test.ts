/** `collector attach --metrics`: what is told by HTTP while a recording goes on. */
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { fakeHost, type Truth } from './fake-host.ts';
import { collectorOn } from './in-process.ts';
import { recordedRounds } from './recorded-rounds.ts';
import { temporaryFolder } from './traces.ts';

beforeAll(() => process.chdir(temporaryFolder()));

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

async function ask(port: number, path = '/metrics', method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more: string) => (text += more));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          text,
        }),
      );
    });
    asked.on('error', reject).end();
  });
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Asks until the metrics are as they should be, or the test has taken too long. */
async function untilTold(port: number, isAsWanted: (text: string) => boolean): Promise<Answer> {
  for (;;) {
    const answer = await ask(port).catch(() => undefined);
    if (answer?.status === 200 && isAsWanted(answer.text)) return answer;
    await pause(20);
  }
}

const untilRecording = async (port: number): Promise<Answer> => untilTold(port, () => true);

/** The value of a sample, by name and labels as they are written. */
function valueOf(text: string, sample: string): number {
  const line = text.split('\n').find((one) => one.startsWith(`${sample} `));
  if (line === undefined) throw new Error(`no ${sample} in:\n${text}`);
  return Number(line.slice(sample.length + 1));
}

/** Rounds that are recorded. */
function told(text: string): number {
  return valueOf(text, 'vhostscope_events_total{kind="round"}');
}

/** Events that are lost, by whomever. */
function lost(text: string): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith('vhostscope_lost_events_total{'))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

describe('metrics', () => {
  it('are those of the trace, grow, and end with the recording', async () => {
    const port = await freePort();
    const recording = collectorOn(
      fakeHost({ truth: 'truth.json' }),
      'attach',
      '-o',
      'a.arrows',
      '--duration',
      '1s',
      '--metrics',
      String(port),
    );
    const first = await untilTold(port, (text) => told(text) > 0);
    const second = await untilTold(port, (text) => told(text) > told(first.text));
    const { code, err } = await recording;
    expect(code).toBe(0);
    expect(err).toContain(`metrics of the recording at http://127.0.0.1:${port}/metrics\n`);
    expect(first.type).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
    expect(second.text.endsWith('# EOF\n')).toBe(true);
    const { rounds } = await recordedRounds('a.arrows');
    const all = rounds.reduce((sum, times) => sum + times.length, 0);
    expect(told(second.text)).toBeLessThanOrEqual(all);
    expect(valueOf(second.text, 'vhostscope_virtqueues')).toBe(rounds.length);
    expect(valueOf(second.text, 'vhostscope_process_resident_memory_bytes')).toBeGreaterThan(0);
    await expect(ask(port)).rejects.toThrow('ECONNREFUSED');
  });

  it('tell what is lost', async () => {
    const port = await freePort();
    const recording = collectorOn(
      fakeHost({ truth: 'truth.json', loseEvery: 10 }),
      'attach',
      '-o',
      'b.arrows',
      '--duration',
      '1s',
      '--metrics',
      `127.0.0.1:${port}`,
    );
    const { text } = await untilTold(port, (one) => lost(one) > 0);
    await recording;
    const truth = JSON.parse(readFileSync('truth.json', 'utf8')) as Truth;
    expect(lost(text)).toBeLessThanOrEqual(truth.lost);
  });

  it('are all that is told', async () => {
    const port = await freePort();
    const recording = collectorOn(
      fakeHost({ truth: 'truth.json' }),
      'attach',
      '-o',
      'c.arrows',
      '--duration',
      '600ms',
      '--metrics',
      String(port),
    );
    await untilRecording(port);
    expect(await ask(port, '/')).toMatchObject({
      status: 404,
      text: 'the metrics are at /metrics\n',
    });
    expect(await ask(port, '/metrics', 'POST')).toMatchObject({ status: 405 });
    expect(await ask(port, '/metrics?x', 'HEAD')).toMatchObject({ status: 200, text: '' });
    await recording;
  });

  it('need a port that is free; what is recorded goes nowhere else', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { code, err } = await collectorOn(
      fakeHost({ truth: 'truth.json' }),
      'attach',
      '-o',
      'd.arrows',
      '--duration',
      '600ms',
      '--metrics',
      String(port),
    );
    server.close();
    expect(code).toBe(2);
    expect(err).toMatch(/cannot listen on 127\.0\.0\.1:\d+: /);
  });
});
