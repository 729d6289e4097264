import { ProgramError } from '@vhostscope/terminal';

/** The probes could not be attached; nothing was recorded. */
export class NotAttachedError extends ProgramError {}
