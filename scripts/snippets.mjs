// What the documents show of a terminal: commands, each with what it prints.

/**
 * @typedef {object} Snippet
 * @property {number} line - of the document, from 1
 * @property {string} command - what stands behind "$ "
 * @property {string[]} output - what is said to be printed; a line "…" stands for any number of lines
 */

/**
 * Commands in the fenced blocks of a document. What stands behind "# " is for root, on a host to be recorded: it ends
 * the output of the command before, and is no snippet.
 *
 * @param {string} markdown
 * @returns {Snippet[]}
 */
export function snippetsIn(markdown) {
  const snippets = [];
  let inBlock = false;
  let open;
  let indent = 0;
  for (const [at, whole] of markdown.split('\n').entries()) {
    const fence = /^( *)```/.exec(whole)?.[1];
    const line = whole.slice(indent);
    if (fence !== undefined) {
      inBlock = !inBlock;
      // A block may stand in an item of a list.
      indent = inBlock ? fence.length : 0;
      open = undefined;
    } else if (inBlock && line.startsWith('$ ')) {
      open = { line: at + 1, command: line.slice(2), output: [] };
      snippets.push(open);
    } else if (inBlock && line.startsWith('# ')) open = undefined;
    else open?.output.push(line);
  }
  return snippets;
}

/**
 * The first line that is said to be printed and is not; undefined when all are, in their order and with nothing
 * between them but where "…" stands.
 *
 * @param {string[]} said
 * @param {string} printed
 * @returns {string | undefined}
 */
export function missingLine(said, printed) {
  // A "…" that is set in stands for rows of a table.
  const pieces = said
    .join('\n')
    .split(/^\s*…\s*$\n?/m)
    .map((piece) => linesOf(piece));
  const lines = linesOf(printed);
  let from = 0;
  for (const [index, piece] of pieces.entries()) {
    const isLast = index === pieces.length - 1;
    // What stands in front of the first "…" is where the output begins, what stands behind the last where it ends.
    const last = lines.length - piece.length;
    const first = isLast && index > 0 ? Math.max(from, last) : from;
    const reach = index === 0 ? 0 : last;
    let at = first;
    while (at <= reach && !piece.every((line, offset) => lines[at + offset] === line)) at++;
    if (at > reach) return piece.find((line) => !lines.includes(line)) ?? piece[0] ?? '(no more)';
    from = at + piece.length;
    if (isLast && from < lines.length && piece.length > 0)
      return `(and no more than) ${piece.at(-1)}`;
  }
  return undefined;
}

/** Without the blank lines at the end. */
function linesOf(text) {
  const trimmed = text.replace(/\n+$/, '');
  return trimmed === '' ? [] : trimmed.split('\n');
}
