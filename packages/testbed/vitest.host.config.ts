import shared from '../../vitest.shared.ts';

// Tests that boot a host: minutes, and not part of `npm test`. One at a time, as each takes all CPUs.
export default {
  ...shared,
  test: {
    include: ['host-tests/**/*.test.ts'],
    // Attaching takes half a minute under emulation, and five where other machines share the processor.
    testTimeout: 1_200_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
};
