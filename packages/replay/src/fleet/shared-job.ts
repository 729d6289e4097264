/** A run as a job for another machine, and its answer: bytes that are checked when they are read. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { RING_MEMORY, type Design } from '@vhostscope/model';
import { z } from 'zod';
import { SWITCHES } from '../design-file.js';
import { replayedRunSchema } from './fleet-result.js';
import type { FleetQuestion } from './replay-run.js';
import type { RunAnswer } from './worker-messages.js';

const rates = z.strictObject({ before: z.number().positive(), after: z.number().positive() });
const sentence = z.string().max(1000);

const designSchema = z.strictObject({
  name: z.string().max(40),
  title: sentence,
  source: sentence,
  callbackRules: z.enum(['direct-map', 'none']),
  publishedRates: z.strictObject({ smapOn: rates, smapOff: rates }).partial().optional(),
  ratesNote: sentence.optional(),
  differs: z.array(sentence).max(20),
  switchedOff: sentence.optional(),
  usesDeviceIotlb: z.boolean().optional(),
  ...SWITCHES,
}) satisfies z.ZodType<Design>;

export const MOST_DESIGNS = 200;

const questionSchema = z.strictObject({
  designs: z.array(designSchema).min(1).max(MOST_DESIGNS),
  platform: z.strictObject({
    arch: z.string().max(40).exactOptional(),
    pageSize: z.string().max(10).exactOptional(),
    highmem: z.boolean().exactOptional(),
    iotlb: z.boolean().exactOptional(),
    ringMemory: z.enum(RING_MEMORY).exactOptional(),
  }),
  preempt: z.enum(['voluntary', 'full', 'unknown']).optional(),
  stormRate: z.number().int().positive(),
  basis: z.strictObject({
    smap: z.enum(['on', 'off']).optional(),
    arch: z.string().max(40).optional(),
    calibrated: rates.optional(),
  }),
});

/** All that its answer follows from. */
const jobSchema = z.strictObject({
  format: z.literal(1),
  /** The run, by its names on the server, and what was in it when it was asked for. */
  host: z.string().min(1),
  run: z.string().min(1),
  digest: z.string(),
  question: questionSchema,
});

export interface SharedJob {
  readonly host: string;
  readonly run: string;
  readonly digest: string;
  readonly question: FleetQuestion;
}

/** The same for the same job. */
export function bytesOfJob({ host, run, digest, question }: SharedJob): Uint8Array {
  return Buffer.from(JSON.stringify({ format: 1, host, run, digest, question }));
}

/** Undefined of what is none. */
export function jobOfBytes(bytes: Uint8Array): SharedJob | undefined {
  const job = jobSchema.safeParse(parsed(Buffer.from(bytes).toString('utf8')));
  if (!job.success) return undefined;
  const { question, host, run, digest } = job.data;
  const { smap, arch, calibrated } = question.basis;
  return { host, run, digest, question: { ...question, basis: { smap, arch, calibrated } } };
}

const answerSchema = z.union([
  z.object({ result: replayedRunSchema, problems: z.array(z.string()) }),
  z.object({ error: z.string(), advice: z.string().optional() }),
]);

export function bytesOfAnswer(answer: RunAnswer): Uint8Array {
  // Where it was thrown is of no use on another machine.
  const told = 'error' in answer ? { error: answer.error, advice: answer.advice } : answer;
  return gzipSync(JSON.stringify(told));
}

/** More than the answer of a trace with as many virtqueues and designs as there can be. */
const MOST_BYTES = 1 << 28;

/** Undefined of what is none. */
export function answerOfBytes(bytes: Uint8Array): RunAnswer | undefined {
  let text: string;
  try {
    text = gunzipSync(bytes, { maxOutputLength: MOST_BYTES }).toString('utf8');
  } catch {
    return undefined;
  }
  const answer = answerSchema.safeParse(parsed(text));
  return answer.success ? answer.data : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
