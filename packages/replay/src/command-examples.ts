/** Examples that `--help` of a command shows. A test runs them: `trace.arrows` and its like are there. */
const EXAMPLES = {
  run: [
    ['replay run trace.arrows', 'the summary'],
    ['replay run trace.arrows --design fixes-v5', 'another design'],
    ['replay run trace.txt.gz --preempt voluntary', 'of text, with what you know of the kernel'],
    ['replay run trace.arrows --from storm:1 --to -0.5s', 'count a part of it only'],
    ['replay run trace.arrows --json', 'for a program'],
    ['zcat trace.txt.gz | replay run -', 'from a pipe'],
  ],
  verify: [
    ['replay verify trace.arrows', 'a kernel that ran the merged design'],
    ['replay verify trace.arrows --from 1s', 'without its first second'],
  ],
  explain: [
    ['replay explain trace.arrows --access 1000', 'why did that access come out so?'],
    ['replay explain trace.arrows --at 1.5s --vq 1', 'the state of a virtqueue at a moment'],
    ['replay explain trace.arrows --at storm:1', 'as a storm begins'],
  ],
  check: [
    ['replay check trace.arrows', 'can a kernel have made these accesses?'],
    ['replay check trace.arrows --handlers any', 'of other callers than vhost-net'],
  ],
  storms: [
    ['replay storms trace.arrows', 'storms, their causes and their price'],
    ['replay storms trace.arrows --storm-rate 1000', 'only a thousand ranges a second are one'],
  ],
  hazards: [
    ['replay hazards trace.arrows', 'where would the design have gone wrong?'],
    ['replay hazards trace.arrows --design fixes-v5', 'and that one?'],
  ],
  export: [
    ['replay export trace.arrows -o trace.pftrace', 'see it in ui.perfetto.dev'],
    ['replay export trace.arrows -o trace.parquet', 'for DuckDB'],
    ['replay export trace.arrows -o - --format ndjson | head -5', 'lines for scripts'],
    ['replay export trace.arrows -o trace.parquet --anonymise', 'to hand on'],
  ],
  compare: [
    ['replay compare trace.arrows', 'what would each of the designs have done?'],
    ['replay compare trace.arrows --designs merged,copy', 'two of them'],
    ['replay compare trace.arrows --design-file mine.json', 'and one of your own'],
    [
      'replay compare after.arrows --baseline before.arrows --fail-if-worse 0.5% --designs merged',
      '',
    ],
  ],
  designs: [
    ['replay designs', 'which are there?'],
    ['replay designs merged', 'the switches of one'],
    ['replay designs fixes-v5 --json > mine.json', 'a design of your own to change'],
  ],
  report: [
    ['replay report trace.arrows -o report.html', 'a page for a browser'],
    ['replay report trace.arrows --json', 'what is in it'],
  ],
  info: [
    ['replay info trace.arrows', 'is it complete, and what is in it?'],
    ['replay info trace.arrows --strict', 'exit 1 when something is known to be missing'],
  ],
  schema: [
    ['replay schema run', 'of what replay run --json prints'],
    ['replay schema ndjson', 'of a line of an export'],
  ],
} as const satisfies Record<string, readonly (readonly [command: string, comment: string])[]>;

/** @returns text to stand below the options */
export function examplesOf(name: keyof typeof EXAMPLES): string {
  const examples: readonly (readonly [string, string])[] = EXAMPLES[name];
  const width = Math.max(
    ...examples.map(([command, comment]) => (comment === '' ? 0 : command.length)),
  );
  const lines = examples.map(([command, comment]) =>
    `  ${command.padEnd(width)}  ${comment}`.trimEnd(),
  );
  return `\nExamples:\n${lines.join('\n')}`;
}
