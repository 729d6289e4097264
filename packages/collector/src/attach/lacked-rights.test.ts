import { expect, test } from 'vitest';
import { lackedPermission } from './lacked-rights.js';

// Said by bpftrace 0.17 and perf 6.1 without one capability or another.
test.each([
  "failed to create map: '@': Operation not permitted",
  'perf_event_open: Permission denied',
  'Access to performance monitoring and observability operations is limited.',
  'Permission error mapping pages.',
  'No permission to enable cpu-clock event.',
  'libbpf: prog load failed: -EPERM',
  'Error loading program: kprobe:vq_meta_prefetch (try -v)',
])('%s', (complaint) => {
  expect(lackedPermission(['something', complaint])).toBe(complaint);
});

test.each([
  'Could not resolve symbol: vhost_poll_start',
  'failed to create map: Cannot allocate memory',
  // Said whatever keeps it from making maps.
  'Make sure you have all the required permissions and are not confined (e.g. like',
  'kernel.perf_event_paranoid = 2:',
  'PERMANENT',
  'Error loading program: kprobe:vq_meta_prefetch',
  'Error loading BPF program for kprobe_vq_meta_prefetch_1',
])('%s is no lack of permission', (complaint) => {
  expect(lackedPermission([complaint])).toBeUndefined();
});
