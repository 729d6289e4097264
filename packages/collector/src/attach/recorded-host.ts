/** The host that is recorded, as far as `attach` asks it. */
import type { BootClock } from './boot-clock.js';
import type { UserAccount } from '../privileges/user-account.js';
import type { RecordingPlan, RecordingRequest } from '../plan-recording.js';

export interface RecordedHost {
  /** @throws BlockedHostError when the host cannot be recorded */
  plan(request: RecordingRequest): Promise<RecordingPlan>;
  /** How long the recorder may take at the end to hand over what it holds, and then to be gone. */
  readonly patienceMs: number;
  /** Whose rights are to be taken. @throws ProgramError when there is no such user, or this is not root */
  user(name: string): Promise<UserAccount>;
  /** Processes that have a vhost device open now. */
  vhostOwners(): readonly number[];
  /** CPUs that are online now. */
  onlineCpus(): readonly number[];
  /** The clock of its events, where it is not that of this machine. */
  createClock?(): BootClock;
}
