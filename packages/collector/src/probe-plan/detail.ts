/** How much to record. */
export const DETAILS = ['rounds', 'calls', 'accesses'] as const;
export type Detail = (typeof DETAILS)[number];
