/** The designs of 2019 that reach rings through the kernel's direct map, and their fixes (reference §1, §3). */
import type { Design } from '../designs.js';

const MERGED: Design = {
  name: 'merged',
  title: 'direct map as merged for 5.3',
  source: '7f466032dc9e, reverted by 3d2c7d370475',
  maps: 'round',
  faultsPagesIn: false,
  needsContiguousPages: true,
  filtersMemory: false,
  counter: 'virtqueue',
  resetsCountOnSetup: false,
  overlap: 'inclusive-end',
  clears: 'start',
  refusesNonBlockable: 'always',
  keepsRangesOnFailedSetup: false,
  dropsMapsOn: 'setup',
  needsPlainCaches: true,
  dirties: 'clear',
  callbackRules: 'direct-map',
  publishedRates: { smapOn: { before: 5.2, after: 6.4 }, smapOff: { before: 7.1, after: 8.2 } },
  ratesNote: '2.6 GHz Broadwell; TCP_STREAM gained nothing',
  differs: [
    'a registration of the notifier that fails goes unnoticed: no invalidation ever comes any more',
    'synchronize_rcu in the notifier: one guest stalls reclaim for others',
  ],
};

const FIXES_V1: Design = {
  ...MERGED,
  name: 'fixes-v1',
  title: 'direct map with the "Fixes for metadata acceleration" series, V1',
  source: '6 mails of 23 Jul 2019, never merged',
  resetsCountOnSetup: true,
  keepsRangesOnFailedSetup: true,
  dirties: 'clear-and-teardown',
  publishedRates: undefined,
  ratesNote: undefined,
  differs: [
    'a failed registration is reported; maps are built all the same',
    'readers are still under RCU',
  ],
};

const FIXES_V2: Design = {
  ...FIXES_V1,
  name: 'fixes-v2',
  title: 'the fixes, V2: non-blockable ranges are refused only where they overlap a ring',
  source: '9 mails of 31 Jul 2019, never merged',
  refusesNonBlockable: 'overlap',
  ratesNote:
    'no rates; the mail says about 3 % less than with RCU (a gain of 20 % rather than 23 %)',
  differs: [
    'readers are told by a counter that is odd while a map is used; the notifier waits for it to change',
    'the result of registering the notifier hides that of the ioctl',
  ],
};

const FIXES_V5: Design = {
  ...FIXES_V2,
  name: 'fixes-v5',
  title: 'direct map with the "Fixes for metadata acceleration" series, V5',
  source: '9 mails of 9 Aug 2019, never merged',
  publishedRates: { smapOn: { before: 5.0, after: 5.7 }, smapOff: { before: 7.0, after: 7.0 } },
  ratesNote:
    'Jason Wang, 8 Aug 2019, of the merged commit with the spinlock that V5 came with a day later',
  differs: ['a spinlock around every access: the notifier waits for one access at most'],
};

export const DIRECT_MAP_SERIES: readonly Design[] = [
  {
    ...MERGED,
    name: 'direct-rfc-v3',
    title: 'the first direct map',
    source: '[RFC PATCH V3 0/6], 23 Apr 2019',
    ratesNote: '2.6 GHz Broadwell',
    differs: [...MERGED.differs, 'is compiled even into a kernel without MMU notifiers'],
  },
  MERGED,
  {
    ...MERGED,
    name: 'mmdrop-fix',
    title: 'direct map that every invalidation of the process drops',
    source: '842aa64eddac as mailed on 21 Jul 2019, withdrawn',
    counter: 'mm',
    overlap: 'always',
    dropsMapsOn: 'never',
    dirties: 'clear-and-teardown',
    callbackRules: 'none',
    publishedRates: undefined,
    ratesNote: undefined,
    differs: [
      'ranges of areas are read again each round, and the notifier stays registered while a ring is set up',
      'a map of the ring as it was before stays in use when the ring is set up elsewhere',
      'as mailed it takes one lock twice in each round and would hang: it is replayed as if that were put right',
    ],
  },
  FIXES_V1,
  FIXES_V2,
  {
    ...FIXES_V2,
    name: 'fixes-v3',
    title: 'the fixes, V3: readers in a sequence count',
    source: '10 mails of 7 Aug 2019, never merged',
    ratesNote: undefined,
    differs: ['readers are told by a sequence count; the notifier waits for it to change'],
  },
  {
    ...FIXES_V2,
    name: 'fixes-v4',
    title: 'the fixes, V4: as V3, one mail less',
    source: '9 mails of 7 Aug 2019, never merged',
    ratesNote: undefined,
    differs: ['readers are told by a sequence count; the notifier waits for it to change'],
  },
  FIXES_V5,
  {
    ...FIXES_V5,
    name: 'rework',
    title: 'the merged commit with all fixes in one patch',
    source: '[PATCH 0/2] of 5 Sep 2019, never merged',
    publishedRates: { smapOn: { before: 4.9, after: 6.0 }, smapOff: { before: 6.9, after: 7.5 } },
    ratesNote: '4.0 GHz Kaby Lake; a Sandy Bridge, which has no SMAP, showed no difference',
    differs: ['a spinlock around every access: the notifier waits for one access at most'],
  },
];
