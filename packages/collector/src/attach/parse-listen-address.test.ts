import { expect, test } from 'vitest';
import { parseListenAddress } from './parse-listen-address.js';

test.each([
  ['9435', '127.0.0.1', 9435],
  ['0', '127.0.0.1', 0],
  ['10.0.0.7:80', '10.0.0.7', 80],
  ['localhost:80', 'localhost', 80],
  ['[::1]:65535', '::1', 65_535],
])('%s', (text, host, port) => {
  expect(parseListenAddress(text)).toEqual({ host, port });
});

test.each(['', 'x', '65536', ':80', '80:', '::1:80', '-1', '1e3', 'a b:80', '99999999999'])(
  '%j is no address',
  (text) => {
    expect(() => parseListenAddress(text)).toThrow(/Give a port/);
  },
);
