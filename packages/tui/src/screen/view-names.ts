/** The views, in the order of their number keys. */
export const VIEW_NAMES = ['overview', 'storms', 'queue', 'causes', 'recording'] as const;

export type ViewName = (typeof VIEW_NAMES)[number];
