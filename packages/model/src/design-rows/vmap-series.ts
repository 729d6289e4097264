/** The series of 2018 and 2019 that mapped rings with vmap, before the direct map (reference §2). */
import type { Design } from '../designs.js';

const WITHOUT_SMAP =
  'the mail does not say whether SMAP was on; V4, with the same figures, says that it was';

const V2: Design = {
  name: 'vmap-v2',
  title: 'vmap each round, dropped by a notifier that takes the virtqueue mutex',
  source: '[RFC PATCH V2 0/3], 28 Dec 2018',
  maps: 'round',
  faultsPagesIn: true,
  needsContiguousPages: false,
  filtersMemory: false,
  counter: 'none',
  resetsCountOnSetup: false,
  // Its test looks at the first byte of the ring only (§2.1).
  overlap: 'start-only',
  clears: 'start-at-unlock',
  refusesNonBlockable: 'overlap',
  keepsRangesOnFailedSetup: true,
  dropsMapsOn: 'addr',
  needsPlainCaches: false,
  dirties: 'never',
  callbackRules: 'none',
  publishedRates: { smapOn: { before: 5.0, after: 6.1 } },
  ratesNote: WITHOUT_SMAP,
  differs: [
    'an invalidation waits for the round to end: the memory manager stalls as long',
    'nothing keeps a round from mapping again between the start of a range and its end',
    'pages of the used ring are not marked dirty',
  ],
};

export const VMAP_SERIES: readonly Design[] = [
  {
    ...V2,
    name: 'vmap-v1',
    title: 'vmap of pages that are pinned when the ring is set up',
    source: '[PATCH net-next 0/3], 13 Dec 2018',
    maps: 'ioctl',
    clears: 'never',
    refusesNonBlockable: 'never',
    differs: [
      'no notifier: pinned pages break huge pages, NUMA balancing, migration and KSM on the ring',
      'no fallback: an access without a map would crash, and does not happen where SET_VRING_ADDR succeeded',
    ],
  },
  V2,
  {
    ...V2,
    name: 'vmap-v3',
    title: 'vmap-v2 with a whole test of overlap',
    source: '[RFC PATCH V3 0/5], 29 Dec 2018',
    overlap: 'inclusive-end',
    dropsMapsOn: 'successful-setup',
    differs: [...V2.differs, 'the notifier is registered anew around every ioctl of a ring'],
  },
  {
    ...V2,
    name: 'vmap-v4',
    title: 'vmap-v3 for anonymous memory, hugetlb and shmem only',
    source: '[PATCH net-next V4 0/5], 23 Jan 2019',
    filtersMemory: true,
    overlap: 'inclusive-end',
    dropsMapsOn: 'successful-setup',
    publishedRates: { smapOn: { before: 5.0, after: 6.1 }, smapOff: { before: 6.6, after: 7.4 } },
    ratesNote: '2.6 GHz Broadwell',
    differs: [
      ...V2.differs,
      'the notifier is registered anew around every ioctl of a ring',
      'a mapping of memory that ends before the ring does is refused too',
    ],
  },
  {
    ...V2,
    name: 'vmap-rfc-v2',
    title: 'vmap, dropped in invalidate_range',
    source: '[RFC PATCH V2 0/5], 6 Mar 2019',
    overlap: 'inclusive-end',
    clears: 'range-at-unlock',
    refusesNonBlockable: 'never',
    dropsMapsOn: 'successful-setup',
    dirties: 'round-end',
    publishedRates: { smapOn: { before: 5.0, after: 6.1 }, smapOff: { before: 6.6, after: 7.4 } },
    ratesNote: '2.6 GHz Broadwell; TCP_STREAM gained nothing',
    differs: [
      'an invalidation waits for the round to end: the memory manager stalls as long',
      'set_page_dirty_lock may come after the file system has cleaned the page',
      'the array of pages leaks where mapping fails',
    ],
  },
];
