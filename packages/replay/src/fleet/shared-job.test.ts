import { gzipSync } from 'node:zlib';
import { DESIGNS } from '@vhostscope/model';
import { expect, it } from 'vitest';
import {
  answerOfBytes,
  bytesOfAnswer,
  bytesOfJob,
  jobOfBytes,
  MOST_DESIGNS,
  type SharedJob,
} from './shared-job.js';
import { replayElsewhere } from './replay-elsewhere.js';
import { readSharing } from './sharing.js';

const JOB: SharedJob = {
  host: 'a\u001b[31m',
  run: '1',
  digest: 'ab',
  question: {
    designs: DESIGNS,
    platform: { arch: 'x86_64', iotlb: true },
    preempt: 'voluntary',
    stormRate: 100,
    basis: { smap: 'on', arch: undefined, calibrated: { before: 5.2, after: 6.4 } },
  },
};

it('every design can be asked for; the same job is the same bytes, another one is not', () => {
  const bytes = bytesOfJob(JOB);
  expect(jobOfBytes(bytes)).toEqual(JOB);
  expect(bytesOfJob(structuredClone(JOB))).toEqual(bytes);
  expect(bytesOfJob({ ...JOB, digest: 'ac' })).not.toEqual(bytes);
});

it.each(['', '{', '{"format":1}', '[]'])('%j is no job', (text) => {
  expect(jobOfBytes(Buffer.from(text))).toBeUndefined();
});

it('a job with a switch that there is not is none', () => {
  const [design] = DESIGNS;
  const designs = [{ ...design, counter: 'other' as 'none' }];
  expect(
    jobOfBytes(bytesOfJob({ ...JOB, question: { ...JOB.question, designs } })),
  ).toBeUndefined();
});

it('a failure comes back without where it was thrown; what is no answer is none', () => {
  const answer = { error: 'no', advice: 'do', stack: 'at /home/x' };
  expect(answerOfBytes(bytesOfAnswer(answer))).toEqual({ error: 'no', advice: 'do' });
  for (const bytes of [Buffer.from('x'), gzipSync('{'), gzipSync('{"result":{},"problems":[]}')])
    expect(answerOfBytes(bytes)).toBeUndefined();
});

it('what other machines cannot read is not shared', () => {
  const share = { share: true };
  expect(readSharing(['a'], {})).toBeUndefined();
  expect(readSharing(['nats://h/p', 'nats://h/p/host/run'], { ...share, shareWait: '2m' })).toEqual(
    { waitMs: 120_000 },
  );
  expect(() => readSharing(['a.arrows'], share)).toThrow('a.arrows cannot be shared');
  expect(() => readSharing(['nats://a'], { ...share, workers: '2' })).toThrow('--workers');
  expect(readSharing(['nats://a'], { ...share, shareWait: '90' })).toEqual({ waitMs: 90_000 });
  expect(readSharing(['nats://a'], { ...share, shareWait: '30d' })).toEqual({
    waitMs: 30 * 86_400_000,
  });
  for (const shareWait of ['', '0s', '2y', `1${'0'.repeat(400)}h`])
    expect(() => readSharing(['nats://a'], { ...share, shareWait })).toThrow('as in 90s');
  expect(() => readSharing(['nats://a'], { ...share, shareWait: '31d' })).toThrow('30d at most');
  expect(() => readSharing(['nats://a'], { shareWait: '2m' })).toThrow('--share');
});

it('runs of two servers are not shared, nor more designs than a job can hold', async () => {
  const run = (host: string) => ({
    host,
    run: 'r',
    source: { path: `nats://${host}/${host}/r`, bytes: 1 },
  });
  const ask = (hosts: readonly string[], { question }: Pick<SharedJob, 'question'>) =>
    replayElsewhere(
      hosts.map(run),
      { waitMs: 1 },
      {
        question,
        program: new URL(import.meta.url),
        onProgress: () => undefined,
        signal: new AbortController().signal,
      },
    );
  await expect(ask(['a', 'b'], JOB)).rejects.toThrow(
    '--share is of the runs of one server, not of nats://a:4222 and nats://b:4222',
  );
  const designs = Array.from({ length: MOST_DESIGNS + 1 }, () => JOB.question.designs[0]);
  await expect(ask(['a'], { question: { ...JOB.question, designs } })).rejects.toThrow(
    'so much cannot be asked of other machines',
  );
});
