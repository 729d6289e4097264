// A program in a terminal of its own: a real pty with a terminal emulator behind it, so that what is read is
// the screen and not the bytes. Plain JavaScript, as the scripts that draw and measure the screen use it too.
import pty from '@lydell/node-pty';
import headless from '@xterm/headless';

/**
 * Starts a program in a terminal.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ columns?: number, rows?: number, env?: Record<string, string | undefined>, cwd?: string }} [options]
 */
export function openTerminal(file, args, { columns = 80, rows = 24, env = {}, cwd } = {}) {
  const terminal = new headless.Terminal({
    cols: columns,
    rows,
    allowProposedApi: true,
    scrollback: 0,
  });
  const child = pty.spawn(file, [...args], {
    cols: columns,
    rows,
    name: 'xterm-256color',
    cwd,
    env: { ...quietEnvironment(), ...env },
  });
  const seen = { bytes: 0, writes: 0 };
  let written = Promise.resolve();
  child.onData((data) => {
    seen.bytes += data.length;
    seen.writes++;
    written = new Promise((resolve) => {
      terminal.write(data, resolve);
    });
  });
  const exited = new Promise((resolve) => {
    child.onExit(({ exitCode, signal }) => resolve({ exitCode, signal }));
  });

  const lines = () => {
    const { active } = terminal.buffer;
    return Array.from({ length: terminal.rows }, (_, row) =>
      (active.getLine(active.viewportY + row)?.translateToString(true) ?? '').trimEnd(),
    );
  };
  return {
    pid: child.pid,
    terminal,
    seen,
    exited,
    lines,
    text: () => lines().join('\n'),
    /** The rows with their colours, in pieces that look alike. */
    cells: () => rowsOfRuns(terminal),
    /** Whether the other screen is shown. */
    isAlternate: () => terminal.buffer.active.type === 'alternate',
    /** Waits until the screen is as wanted; what it was like instead is in the error. */
    async until(isWanted, milliseconds = 10_000) {
      const test =
        typeof isWanted === 'function' ? isWanted : (text) => text.includes(String(isWanted));
      const end = Date.now() + milliseconds;
      for (;;) {
        await written;
        const text = lines().join('\n');
        if (test(text)) return text;
        if (Date.now() > end)
          throw new Error(`the screen is not as wanted (${isWanted}):\n${text}`);
        await new Promise((resolve) => {
          setTimeout(resolve, 20);
        });
      }
    },
    press: (keys) => child.write(keys),
    resize: (width, height) => {
      terminal.resize(width, height);
      child.resize(width, height);
    },
    block: () => child.pause(),
    unblock: () => child.resume(),
    kill: (signal) => child.kill(signal),
    /** Ends what is left of it. */
    close: () => {
      try {
        child.kill('SIGKILL');
      } catch {
        // It is gone.
      }
      terminal.dispose();
    },
  };
}

/** Of the palette of 256; the colours that the dashboard uses are in the cube. */
function paletteColour(index) {
  const cube = [0, 95, 135, 175, 215, 255];
  const at = index - 16;
  const parts = [cube[Math.floor(at / 36)], cube[Math.floor(at / 6) % 6], cube[at % 6]];
  return `#${parts.map((part) => (part ?? 0).toString(16).padStart(2, '0')).join('')}`;
}

function rowsOfRuns(terminal) {
  const { active } = terminal.buffer;
  return Array.from({ length: terminal.rows }, (_, row) => {
    const line = active.getLine(active.viewportY + row);
    const runs = [];
    for (let column = 0; column < terminal.cols; column++) {
      const cell = line?.getCell(column);
      // The second half of a wide character.
      if (cell === undefined || cell.getWidth() === 0) continue;
      const colour = cell.isFgPalette() ? paletteColour(cell.getFgColor()) : '';
      const look = {
        fg: cell.isInverse() ? INVERSE_INK : colour,
        bg: cell.isInverse() ? INVERSE_GROUND : undefined,
        isBold: cell.isBold() !== 0,
        isDim: cell.isDim() !== 0,
      };
      const last = runs.at(-1);
      const text = cell.getChars() || ' ';
      if (last !== undefined && isAlike(last, look)) {
        last.text += text;
        last.width += cell.getWidth();
      } else runs.push({ text, column, width: cell.getWidth(), ...look });
    }
    // Blanks at the end are nothing to draw.
    const last = runs.at(-1);
    if (last !== undefined && last.bg === undefined) {
      const kept = last.text.trimEnd();
      last.width -= last.text.length - kept.length;
      last.text = kept;
      if (kept === '') runs.pop();
    }
    return runs;
  });
}

const INVERSE_INK = '#16181d';
const INVERSE_GROUND = '#d6d9de';

function isAlike(run, look) {
  return (
    run.fg === look.fg &&
    run.bg === look.bg &&
    run.isBold === look.isBold &&
    run.isDim === look.isDim
  );
}

/** What surrounds a person at a terminal: no CI, no wishes about colours. */
function quietEnvironment() {
  return {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
  };
}
