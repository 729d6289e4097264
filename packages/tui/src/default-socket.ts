/** Where a collector is looked for when no source is named. */
export const DEFAULT_SOCKET = '/run/vhostscope.sock';
