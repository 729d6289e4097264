// The pages of docs/reference/: what the built programs and packages say of themselves.
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keysOf } from './schema-keys.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const NOTE = 'Made by `npm run reference` from the code; changes here are lost.';

/** What the built package says. */
const built = (path) => import(join(root, 'packages', path));

function run(name, ...args) {
  return execFileSync(
    process.execPath,
    [join(root, `packages/${name}/bin/${name}.js`), ...args],
    // Whoever calls: as wide, and without colours.
    { encoding: 'utf8', env: { ...process.env, COLUMNS: '80', NO_COLOR: '1' } },
  );
}

/** A command's help, and that of those below it. */
function helpOf(name, path) {
  const text = run(name, ...path, '--help');
  const [, below = ''] = /^Commands:\n((?: {2}.*\n?)*)/m.exec(text) ?? [];
  const names = [...below.matchAll(/^ {2}([a-z-]+)/gm)].map(([, found]) => found);
  return [
    { title: [name, ...path].join(' '), text },
    ...names.filter((found) => found !== 'help').flatMap((found) => helpOf(name, [...path, found])),
  ];
}

function commandsPage() {
  const helps = ['replay', 'collector', 'tui'].flatMap((name) => helpOf(name, []));
  const list = helps.map(({ title }) => `- [${title}](#${title.replaceAll(' ', '-')})`);
  const sections = helps.map(
    ({ title, text }) => `## ${title}\n\n\`\`\`\n${text.trimEnd()}\n\`\`\``,
  );
  return page('Commands', 'What `--help` of each prints.', list.join('\n'), ...sections);
}

async function eventsPage() {
  const model = await built('model/dist/index.js');
  const { ACCESSORS, AREAS, EVENTS, FIELDS, HANDLERS, INVALIDATION_CAUSES, INVALIDATION_CLASSES } =
    model;
  const events = Object.entries(EVENTS).map(
    ([name, { code, doc, fields, optional = [], text }]) =>
      `### ${name}\n\n${doc}\n\nCode ${code}.${text === undefined ? ' It has no line of text.' : ` As text: \`${lineForm(text)}\`.`} Fields: ${fields
        .map((field) => `\`${field}\`${optional.includes(field) ? ' (may be absent)' : ''}`)
        .join(', ')}.`,
  );
  const fields = table(
    ['field', 'stored as', 'in text', 'bounds', 'is'],
    Object.entries(FIELDS).map(([name, { storage, text, min, max, doc }]) => [
      `\`${name}\``,
      storage,
      text,
      min === undefined && max === undefined ? '' : `${min ?? ''} … ${max ?? ''}`,
      doc,
    ]),
  );
  return page(
    'Events',
    'The one table of events, `packages/model/src/events.ts`: columns of the trace file, lines of the text dialect and fields of an export follow from it. Codes are never used again, and fields are added at the end only.',
    '## Lines of text\n\nA tag, the time in ns, the CPU, then the columns, separated by single blanks. An optional column that is not known is `-`; `=N` is that number. The first line tells the dialect: `# vhost-oracle 1`, `# vhostscope 1`, or `# vhostscope 1 direct-map`.',
    '## Events',
    ...events,
    '## Fields\n\nBeside `time`, `cpu` and `line`. Values outside the bounds, both inclusive, are refused and not clipped.',
    fields,
    '## Codes',
    codes('area', AREAS, 0),
    codes('accessor', ACCESSORS.slice(1), 1),
    codes('cause', INVALIDATION_CAUSES, 0),
    codes('handler', HANDLERS, 0),
    codes('class', INVALIDATION_CLASSES, 0),
  );
}

function lineForm({ tag, columns }) {
  const words = columns.map((column) => (typeof column === 'object' ? `=${column.is}` : column));
  return [tag, 'time', 'cpu', ...words].join(' ');
}

function codes(name, values, first) {
  return `\`${name}\`: ${values.map((value, at) => `${at + first} ${typeof value === 'string' ? value : value.name}`).join(', ')}.`;
}

async function formatPage() {
  const { FORMAT, FORMAT_VERSION, FORMAT_VERSIONS } = await built('trace/dist/trace-header.js');
  const { traceHeaderSchema } = await built('trace/dist/trace-header-reader.js');
  const { recordingCountsSchema } = await built('trace/dist/recording-counts-schema.js');
  const { DETAIL_COLUMNS, ROW_COLUMNS } = await built('trace/dist/arrow-layout.js');
  const columns = (list) =>
    table(
      ['column', 'type', 'null'],
      list.map(({ name, type, nullable }) => [`\`${name}\``, type, nullable ? 'may be' : 'never']),
    );
  return page(
    'Trace format',
    `An Arrow IPC stream, extension \`.arrows\`. The schema's metadata says \`format\` \`${FORMAT}\` and \`format_version\` \`${FORMAT_VERSION}\`. How it is written and read stands in [ARCHITECTURE.md](../../ARCHITECTURE.md#trace-file).`,
    '## Versions\n\nEvery version stays readable, also 1 and 2, which were before the first release; a newer one than a program knows is refused.',
    table(
      ['version', 'brought'],
      FORMAT_VERSIONS.map((brought, at) => [String(at + 1), brought]),
    ),
    '## Metadata of the schema',
    table(
      ['key', 'is'],
      [
        ['`format`', `\`${FORMAT}\``],
        ['`format_version`', 'the version, decimal'],
        ['`header`', 'JSON: what the trace says of itself, see below'],
        ['`kinds`', 'JSON: names of events by their code; null where there is none'],
        ['`fields`', 'JSON: what each column is, with its unit'],
      ],
    ),
    '## Header',
    keyTable(traceHeaderSchema),
    "## Batches\n\nEach says in the metadata of its message `role`, `recording` (from 0) and `cpu`. Roles: `begin` (one `recording` row), `table` (`virtqueue` rows), `events` (of one CPU, in the order of arrival), `end` (one `recording_end` row), `close` (no row: no batch follows).\n\nFrom format 3 on also `body`, the CRC-32 of the message's body, and, of every message and last, `link`: the CRC-32 of the length of its metadata (32 bits, little endian) and of the metadata without the eight digits of the link, begun with the link of the message before, or with 0. `next`, where there is one, is what the next message rests on in its place. Digits are hexadecimal, in lower case.",
    '## Columns',
    columns(ROW_COLUMNS),
    'Then `details`, a list of one struct or none, with the fields that few events have; an older file has the first of them:',
    columns(DETAIL_COLUMNS),
    'What the fields are: [events.md](events.md).',
    '## Note of `recording_end`\n\nA JSON object:',
    keyTable(recordingCountsSchema),
  );
}

function keyTable(schema) {
  // As the programs print it.
  return keyTableOf(schema.toJSONSchema());
}

function keyTableOf(schema) {
  return table(
    ['key', 'type', ''],
    keysOf(schema).map(({ key, type, isOptional, doc }) => [
      `\`${key}\``,
      type,
      [isOptional ? 'may be absent' : '', doc].filter((part) => part !== '').join('; '),
    ]),
  );
}

function jsonPage() {
  const choices = (name) => {
    const help = run(name, 'schema', '--help').replaceAll(/\s+/g, ' ');
    return [...(/\(choices: ([^)]*)\)/.exec(help)?.[1] ?? '').matchAll(/"([\w-]+)"/g)].map(
      ([, choice]) => choice,
    );
  };
  const documents = [
    ...choices('replay').map((name) => ({
      title: `replay schema ${name}`,
      args: ['replay', 'schema', name],
    })),
    ...choices('collector').map((name) => ({
      title: `collector schema ${name}`,
      args: ['collector', 'schema', name],
    })),
    { title: 'tui --schema', args: ['tui', '--schema'] },
    // Lines of many hosts: of a server without a run, which nobody asks for its schema.
    {
      title: 'tui --schema --from nats://host',
      args: ['tui', '--schema', '--from', 'nats://host'],
    },
  ];
  const sections = documents.map(({ title, args: [name, ...args] }) => {
    const schema = JSON.parse(run(name, ...args));
    return `## ${title}\n\n${title.endsWith('ndjson') ? NDJSON : keyTableOf(schema)}`;
  });
  return page(
    'JSON documents',
    'The keys of what `--json` prints, as the JSON Schemas have them: each section is named after the command that prints the schema itself, with all bounds. `[]` stands for each element of a list, `*` for each key of a map.',
    ...sections,
  );
}

const NDJSON =
  'One line per event, with `recording`, `time`, `cpu`, `line` and `kind`, and its fields under the names of [events.md](events.md): codes as words, 64-bit values as decimal strings.';

function page(title, lead, ...parts) {
  return `<!-- ${NOTE} -->\n\n# ${title}\n\n${lead}\n\n${parts.join('\n\n')}\n`;
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** @returns {Promise<Map<string, string>>} text by the name of the file */
export async function referencePages() {
  return new Map([
    ['commands.md', commandsPage()],
    ['events.md', await eventsPage()],
    ['trace-format.md', await formatPage()],
    ['json.md', jsonPage()],
  ]);
}
