/** The contracts of `collector fleet … --json`: keys are stable. */
import { z } from 'zod';

const count = z.number().int().nonnegative();

export const fleetInitSchema = z.object({
  server: z.string(),
  stream: z.string(),
  done: z.enum(['made', 'changed', 'left as it was']),
  replicas: count,
  /** null where there is no limit but the server's. */
  max_bytes: count.nullable(),
  /** ms; null where runs are kept until they are deleted. */
  max_age: count.nullable(),
});

export const fleetStatusSchema = z.object({
  server: z.string(),
  stream: z.string(),
  /** What the stream takes on the server's disk. */
  bytes: count,
  max_bytes: count.nullable(),
  runs: z.array(
    z.object({
      host: z.string(),
      run: z.string(),
      /** As `replay run` takes it. */
      url: z.string(),
      /** Of the trace, as far as it was sent: 256 KiB each at most, and one for its end. */
      pieces: count,
      /** Those that the server does not hold, at least: its limits have deleted them, or somebody has. */
      missing_pieces: count,
      /** The first that it holds, from 0: what comes after one that is missing cannot be read. */
      first_piece: count,
      /** Of the trace. */
      bytes: count,
      /**
       * `closed` by its writer; `cut` where that was lost or gave up; null while it goes on, or its end has not come
       * yet.
       */
      end: z.enum(['closed', 'cut']).nullable(),
      /** When the server got its last message, by the server's clock. */
      last: z.string(),
      /** The latest reading of the host's clock; null where there is none. ns as decimal strings. */
      clock: z
        .object({
          clock: z.string(),
          /** By the host's clock. */
          at: z.string(),
          /** To be added to the host's times to have the server's, ns since 1970. */
          offset: z.string(),
          /** The offset may be so much more, or less. */
          uncertainty: z.string(),
        })
        .nullable(),
    }),
  ),
});

const leftRun = z.object({
  host: z.string(),
  run: z.string(),
  /** Of its trace. */
  bytes: count,
  /** What the server has of it, whoever sent that. */
  acknowledged_bytes: count,
  /** What of that was sent now. */
  sent_bytes: count,
});

export const fleetSendSchema = z.object({
  server: z.string(),
  spool: z.string(),
  sent: z.array(leftRun),
  /** Those that are not all on the server. */
  left: z.array(leftRun),
  /** Runs that a process is recording or sending. */
  in_use: count,
  /** What kept them from being sent; null when nothing is known to. */
  trouble: z.string().nullable(),
});
