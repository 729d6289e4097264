/** Why the map of an area is ambiguous: a code per slot, set when the doubt arises; 0 at first. */
export const START_UNDER_WAY = 1;
export const COUNT_OPEN = 2;
export const PAGES_UNKNOWN = 3;
export const IOTLB_ROUND = 4;
export const OTHER_RANGE = 5;
export const PERHAPS_REBUILT = 6;
export const ATTEMPT_MISSING = 7;
export const TOUCHED_IN_ROUND = 8;
export const BEGIN_UNSEEN = 9;
export const SET_UP_IN_ROUND = 10;
export const OUT_OF_ROUND = 11;
export const WAITS_FOR_UNLOCK = 12;
export const MEMORY_KIND = 13;
export const RANGES_ELSEWHERE = 14;
export const SET_UP_OPEN = 15;
export const IOTLB_COMES = 16;

/** Codes are below this. */
export const DOUBTS = 17;

/** One sentence per code, for people. */
export const DOUBT_MEANING: readonly string[] = [
  'nothing has shown yet whether there is a map',
  'a start under way may have removed the map, or not yet',
  'its last attempt may have been refused or tried: invalidate_count was not known well enough then',
  'its last attempt was tried, and the trace does not say what get_user_pages would have found',
  'the device IOTLB came into a round: nobody knows what became of its attempts',
  'the recording kernel has another range there than the design, so its effects may not be those',
  'a start has passed, but the map may have been built again after it',
  'an attempt that must have been made is not in the trace',
  'a range came over the area in the round, and which accesses were before it is not in the trace',
  'the beginning of the round is not in the trace',
  'the ring was set up or reset around the round, and which came first is not in the trace',
  'made outside of any round, and when is not in the trace',
  'a range waits for the round to end, and when the virtqueue was unlocked is not in the trace',
  'the design maps only anonymous memory, hugetlb and shmem, and which the ring lies in is not in the trace',
  'the design drops maps at every range of the process, and those away from the rings are not in the trace',
  'a set-up ioctl may have dropped the map, or not: which one it was, or whether it failed, is not in the trace',
  'the device IOTLB is being switched on, and no access has shown yet that it is',
];
