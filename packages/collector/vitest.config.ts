import { mergeConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

// Tests start processes and read whole recordings, maybe on a machine that does other work too.
export default mergeConfig(shared, { test: { testTimeout: 30_000 } });
