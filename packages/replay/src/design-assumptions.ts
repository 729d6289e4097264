/** What an answer about a design takes for granted, whatever was recorded. */
import { mechanismOf, type Design } from '@vhostscope/model';

/** In sentences; nothing of designs that the recording kernel's own attempts and callbacks tell of. */
export function designAssumptions(design: Design): string[] {
  if (design.switchedOff !== undefined || design.maps === 'never') return [];
  if (design.maps === 'ioctl')
    return [
      `${design.name} could pin the ring wherever it is used: else SET_VRING_ADDR would have failed`,
    ];
  if (mechanismOf(design) === 'deferred')
    return [
      'under designs whose notifier takes the virtqueue mutex get_user_pages faults in what is not there: the memory of every ring exists, and there is ' +
        'memory for the map',
      'under them a range that comes in a round takes effect when the round ends; that the memory manager, and ' +
        'all that it would have done since, come later then is not replayed',
      'no handler but those of vhost-net and vhost-vsock reads descriptors: they are read in rounds only',
    ];
  if (design.counter === 'mm')
    return [
      'a notifier is registered only while no range is under way, so that none is where a ring was just set up',
    ];
  return [];
}
