/**
 * How far a host's clock is from the server's: a small message is stored, and the server's time of it is read back.
 * Readings stand on a subject of their own beside the run: they are made while it goes on, and change nothing of its
 * pieces.
 */
import { z } from 'zod';
import type { RunName } from './fleet-url.js';
import { asking, type FleetServer } from './server-connection.js';
import { storedMessages } from './stored-messages.js';
import { allClockSubjects, clockSubject, runStream } from './subjects.js';

/** A clock of a host. */
export interface HostClock {
  /** As the header of a trace calls it. */
  readonly name: string;
  /** ns */
  now(): bigint;
}

export interface ClockReading {
  /** Which clock of the host. */
  readonly clock: string;
  /** When, by the host's clock, ns. */
  readonly at: bigint;
  /** What is to be added to the host's times to have the server's, in ns since 1970. */
  readonly offset: bigint;
  /** The offset may be so much more, or less: half the time that the message and its answer took, ns. */
  readonly uncertainty: bigint;
}

/** The shortest way of so many counts. */
const ATTEMPTS = 5;
const ANSWER_MS = 5000;

/** Measures, and stores the reading with the run. @throws FleetError */
export async function storeClockReading(
  server: FleetServer,
  name: RunName,
  clock: HostClock,
): Promise<ClockReading> {
  const subject = clockSubject(server.url.prefix, name);
  let best: ClockReading | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const reading = await readClock(server, subject, clock);
    if (best === undefined || reading.uncertainty < best.uncertainty) best = reading;
  }
  const reading = best ?? (await readClock(server, subject, clock));
  await asking(server, 'publish', () =>
    server.client.publish(subject, textOfReading(reading), { timeout: ANSWER_MS }),
  );
  return reading;
}

async function readClock(
  server: FleetServer,
  subject: string,
  clock: HostClock,
): Promise<ClockReading> {
  const { client, manager, url } = server;
  return asking(server, 'measure the clock', async () => {
    const before = clock.now();
    const { seq } = await client.publish(subject, undefined, { timeout: ANSWER_MS });
    const after = clock.now();
    const message = await manager.streams.getMessage(runStream(url.prefix), { seq });
    if (message === null) throw new Error('the message that was stored is gone');
    const at = before + (after - before) / 2n;
    return {
      clock: clock.name,
      at,
      offset: nanoseconds(message.timestamp) - at,
      uncertainty: (after - before + 1n) / 2n,
    };
  });
}

/** The latest reading of each run that has one, by its subject. @throws FleetError */
export async function lastClockReadings(server: FleetServer): Promise<Map<string, ClockReading>> {
  const readings = new Map<string, ClockReading>();
  const subjects = allClockSubjects(server.url.prefix);
  for await (const message of storedMessages(server, { subjects, last: true })) {
    const reading = readingOfText(message.string());
    if (reading !== undefined) readings.set(message.subject, reading);
  }
  return readings;
}

const decimal = z
  .string()
  .regex(/^-?\d{1,20}$/)
  .transform(BigInt);
const readingSchema = z.object({
  clock: z.string().max(64),
  at: decimal,
  offset: decimal,
  uncertainty: decimal,
});

export function textOfReading(reading: ClockReading): string {
  return JSON.stringify({
    clock: reading.clock,
    at: String(reading.at),
    offset: String(reading.offset),
    uncertainty: String(reading.uncertainty),
  });
}

/** Undefined of what is none, as a message by which the clock is measured. */
export function readingOfText(text: string): ClockReading | undefined {
  try {
    return readingSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** "2026-11-28T00:44:53.123456789Z" → ns since 1970 */
export function nanoseconds(timestamp: string): bigint {
  const [, seconds, fraction = ''] =
    /^(\d{4}-\d\d-\d\dT[\d:]{8})(?:\.(\d{1,9}))?Z$/.exec(timestamp) ?? [];
  const ms = Date.parse(`${seconds}Z`);
  if (seconds === undefined || Number.isNaN(ms)) throw new Error('the server tells no time');
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
