import shared from '../../vitest.shared.ts';

// Tests that start nats-server: a minute or two, and not part of `npm test`. One at a time, as they measure time.
export default {
  ...shared,
  test: {
    include: ['fleet-tests/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
};
