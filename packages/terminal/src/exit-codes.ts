/** Exit codes of all programs. */
export const EXIT = {
  /** Done; also when damaged input was read up to or around the damage. */
  done: 0,
  /** The question was answered "no". */
  no: 1,
  /** Wrong usage, unreadable or meaningless input, output that cannot be written. */
  unusable: 2,
  /** The host cannot do it. */
  host: 3,
  /** Interrupted, after everything was saved. */
  interrupted: 130,
} as const;
