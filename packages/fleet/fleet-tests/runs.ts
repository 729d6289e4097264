/** Traces to publish, and runs to read back. */
import { randomFillSync } from 'node:crypto';
import type { Fleet, RunName, RunReading } from '../src/index.js';

/** What a writer of a trace might append, of random sizes. */
export function randomAppends(howMany: number, maxBytes: number): Uint8Array[] {
  return Array.from({ length: howMany }, () => {
    // Many small, and some large.
    const size = 1 + Math.floor(Math.random() ** 4 * maxBytes);
    return randomFillSync(new Uint8Array(size));
  });
}

export async function bytesOfRun(
  fleet: Fleet,
  { host, run }: RunName,
): Promise<{ bytes: Buffer; reading: RunReading }> {
  const reading = fleet.readRun(host, run);
  const chunks: Uint8Array[] = [];
  for await (const chunk of reading) chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), reading };
}
