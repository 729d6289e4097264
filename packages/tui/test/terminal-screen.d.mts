import type { Terminal } from '@xterm/headless';

export interface TerminalScreen {
  readonly pid: number;
  readonly terminal: Terminal;
  /** What the program has written. */
  readonly seen: { readonly bytes: number; readonly writes: number };
  readonly exited: Promise<{ readonly exitCode: number; readonly signal?: number }>;
  lines(): string[];
  text(): string;
  isAlternate(): boolean;
  until(isWanted: string | ((text: string) => boolean), milliseconds?: number): Promise<string>;
  press(keys: string): void;
  resize(columns: number, rows: number): void;
  /** Nobody takes what the program writes, until they do again. */
  block(): void;
  unblock(): void;
  kill(signal: string): void;
  close(): void;
}

export function openTerminal(
  file: string,
  args: readonly string[],
  options?: {
    readonly columns?: number;
    readonly rows?: number;
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly cwd?: string;
  },
): TerminalScreen;
