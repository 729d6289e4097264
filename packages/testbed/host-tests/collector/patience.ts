/** A collector, with its attaching and its load, is given so long: more than it takes where emulation is slow. */
export const ATTACHED_MS = 900_000;
