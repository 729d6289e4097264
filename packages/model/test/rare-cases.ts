/**
 * The cases that make the model hard, and the least share of simulated runs that must contain each.
 * The simulator notes them as they happen, so that it cannot stop producing one in silence.
 */
export const RARE_CASES = {
  'one area both hit and copied in one round': 0.3,
  'too few pages': 0.3,
  'pages not contiguous': 0.15,
  'no memory': 0.2,
  'overlap by the inclusive end alone': 0.2,
  'ranges of one thread nest': 0.2,
  'two callbacks of one device under way at once': 0.2,
  'worker invalidates in its own round': 0.2,
  'non-blockable range overlaps': 0.15,
  'non-blockable range overlaps nothing': 0.1,
  'callback entered after unregister began': 0.02,
  'callback under way while unregister waits': 0.2,
  'start seen, end swallowed': 0.2,
  'end seen, start swallowed': 0.2,
  'ranges differ between start and end': 0.15,
  'count not 0 while no range is open': 0.2,
  'negative count': 0.2,
  'built while a range over the area is open': 0.1,
  'page tables change under a map': 0.1,
  'late attempt builds after a whole invalidation since its round began': 0.02,
  'attempt refused by an invalidation since its round began': 0.1,
  'setup while the count is not 0': 0.3,
  'setup fails': 0.2,
  'setup fails and changes a range': 0.1,
  'reset in operation': 0.15,
  'reset while the count is not 0': 0.05,
  // Only with `resetWindow`, which this table is not measured with.
  'callback takes effect inside a reset': 0,
  'access through the IOTLB': 0.1,
  'IOTLB switched off while maps are there': 0.01,
  'access outside any round hits': 0.1,
} as const satisfies Record<string, number>;

export type RareCase = keyof typeof RARE_CASES;
