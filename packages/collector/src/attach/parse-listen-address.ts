import { InvalidArgumentError } from 'commander';

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Nobody but this machine, unless told otherwise. */
const LOOPBACK = '127.0.0.1';
const ADVICE = 'Give a port, such as 9435, or an address and a port: 0.0.0.0:9435, [::1]:9435.';

/** Reads `9435`, `10.0.0.7:9435` or `[::1]:9435`; port 0 is any that is free. */
export function parseListenAddress(text: string): ListenAddress {
  const { v6, v4, port = '' } = FORM.exec(text)?.groups ?? {};
  if (port === '' || Number(port) > 65_535) throw new InvalidArgumentError(ADVICE);
  return { host: v6 ?? v4 ?? LOOPBACK, port: Number(port) };
}

const FORM = /^(?:\[(?<v6>[0-9A-Fa-f:.]+)\]:|(?<v4>[A-Za-z0-9.-]+):)?(?<port>\d{1,5})$/;
