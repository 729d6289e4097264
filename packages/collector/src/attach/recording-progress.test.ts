import { expect, test, vi } from 'vitest';
import { showAttaching } from './recording-progress.js';

test('somebody sets the time of day: the line goes on telling how long it takes', () => {
  const { stderr } = process;
  const { isTTY, columns } = stderr;
  const write = vi.spyOn(stderr, 'write').mockReturnValue(true);
  vi.useFakeTimers();
  vi.stubEnv('TERM', 'xterm');
  Object.assign(stderr, { isTTY: true, columns: 80 });
  try {
    const clear = showAttaching();
    vi.setSystemTime(Date.now() - 86_400_000);
    vi.advanceTimersByTime(3000);
    clear();
    const lines = write.mock.calls.map(([text]) => String(text));
    expect(lines.at(-2)?.startsWith('\r\u001b[?7lattaching the probes 0:03: ')).toBe(true);
  } finally {
    Object.assign(stderr, { isTTY, columns });
    vi.useRealTimers();
    vi.unstubAllEnvs();
    write.mockRestore();
  }
});
