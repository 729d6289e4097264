/** Lines of the dialect as printf statements of bpftrace, straight from the table of events. */
import { eventDefinition, fieldDefinition, type EventName } from '@vhostscope/model';

/** By column: the expression that gives its value, or `-` for what is not known. */
export type ColumnExpressions = Readonly<Record<string, string>>;

/** What is not known: an optional column only. */
export const NOT_KNOWN = '-';

/** A line of the dialect, to be printed. */
export interface EventLine {
  readonly event: EventName;
  /** Of printf, without the end of the line. */
  readonly format: string;
  readonly values: readonly string[];
}

/**
 * The line of an event.
 *
 * Only numbers and escaped bytes are printed: nothing of the host can forge a line.
 *
 * @param time when it happened, ns; not before that of a line which this CPU has printed
 * @throws Error when the columns are not those of the event: a defect of the caller
 */
export function eventLine(
  event: EventName,
  given: ColumnExpressions,
  time: string = 'nsecs',
): EventLine {
  const { text, optional = [] } = eventDefinition(event);
  if (text === undefined) throw new Error(`${event} is printed by nobody`);
  const names = text.columns.filter((column) => typeof column === 'string');
  const unknown = Object.keys(given).find((name) => !names.some((column) => column === name));
  if (unknown !== undefined) throw new Error(`${event} has no column ${unknown}`);
  const formats = [text.tag, '%llu', '%d'];
  const values = [time, 'cpu'];
  for (const column of text.columns) {
    if (typeof column === 'object') {
      formats.push(String(column.is));
      continue;
    }
    const expression = given[column];
    if (expression === undefined) throw new Error(`${event}: no ${column}`);
    if (expression === NOT_KNOWN) {
      if (!optional.includes(column)) throw new Error(`${event}: ${column} is always known`);
      formats.push(NOT_KNOWN);
      continue;
    }
    const { text: form, storage } = fieldDefinition(column);
    // In bpftrace 0.17, %d and %u cut a value to 32 bits.
    if (form === 'rest') formats.push('%r');
    else if (form !== 'decimal') formats.push('%llx');
    else formats.push(storage === 'u64' ? '%llu' : storage === 'u32' ? '%u' : '%d');
    values.push(expression);
  }
  return { event, format: formats.join(' '), values };
}

/** The statement that prints lines, all at once. */
export function printfOf(lines: readonly EventLine[]): string {
  const formats = lines.map(({ format }) => `${format}\\n`);
  const values = lines.flatMap((line) => line.values);
  return `printf("${formats.join('')}", ${values.join(', ')});`;
}

/** The statement that prints an event. As `eventLine`. */
export function eventPrintf(event: EventName, given: ColumnExpressions, time?: string): string {
  return printfOf([eventLine(event, given, time)]);
}
