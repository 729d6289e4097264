/** How a moment of a trace may be given; apart from its reader, as --help must load nothing. */
export const TIME_FORMS =
  '12.5s or 300ms from the first event, -3s before the last, ns of the clock (or its seconds with a point), ' +
  'or a storm: storm:2';
