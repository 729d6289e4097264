/** Signals by which somebody asks a program to stop: Ctrl-C, kill, and a terminal that is closed. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
