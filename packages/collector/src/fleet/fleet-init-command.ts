/** `collector fleet init`: the stream that holds the runs. */
import { connectFleet, initStream, parseFleetUrl } from '@vhostscope/fleet';
import { byteSize, EXIT, jsonDocument, writeOut } from '@vhostscope/terminal';
import type { z } from 'zod';
import type { fleetInitSchema } from './fleet-result-schemas.js';

export interface FleetInitOptions {
  readonly replicas?: number;
  readonly maxBytes?: number;
  /** ms */
  readonly maxAge?: number;
  readonly allowDeleting?: boolean;
  readonly json?: boolean;
}

export async function fleetInitCommand(text: string, options: FleetInitOptions): Promise<number> {
  const url = parseFleetUrl(text);
  const server = await connectFleet(url);
  try {
    const { stream, done, replicas, maxBytes, maxAge } = await initStream(server, options);
    const result: z.infer<typeof fleetInitSchema> = {
      server: url.name,
      stream,
      done,
      replicas,
      max_bytes: maxBytes ?? null,
      max_age: maxAge ?? null,
    };
    await writeOut(options.json === true ? jsonDocument(result) : initText(result));
    return EXIT.done;
  } finally {
    await server.close();
  }
}

const DAY_MS = 86_400_000;

function initText(result: z.infer<typeof fleetInitSchema>): string {
  const { server, stream, done, replicas, max_bytes: bytes, max_age: age } = result;
  const limits = [
    replicas === 1 ? 'on one server' : `on ${replicas} servers`,
    bytes === null ? "as large as the server's disk allows" : `at most ${byteSize(bytes)}`,
    age === null ? 'kept until deleted' : `kept for ${ageText(age)}`,
  ];
  return `${server}: stream ${stream} ${done}: ${limits.join(', ')}\n`;
}

function ageText(ms: number): string {
  if (ms % DAY_MS === 0) return `${ms / DAY_MS} d`;
  return ms % 3_600_000 === 0 ? `${ms / 3_600_000} h` : `${ms / 1000} s`;
}
