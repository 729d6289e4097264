import { expect, test } from 'vitest';
import { kernelTroubles } from './scenario-command.js';

test('only what a healthy kernel never writes is trouble', () => {
  expect(
    kernelTroubles(
      '[    0.1] Linux version 6.1\r\n[    9.1] BUG: Bad page state in process load\r\n[    9.2] debug: fine\r\n',
    ),
  ).toEqual(['[    9.1] BUG: Bad page state in process load']);
});
