/** OpenMetrics text, version 1.0.0: families of samples, each told once, as its grammar has it. */
import { printable } from '@vhostscope/terminal';

export type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Labels;
  /** A number, or one in decimal digits that is too large to be one. */
  readonly value: number | string;
}

export type MetricFamily = {
  /** Ends in its unit, and has none of the suffixes that its type gives to samples. */
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
} & (
  | { readonly type: 'counter' | 'gauge'; readonly unit: string }
  /** Without a unit, as OpenMetrics wants it. */
  | { readonly type: 'info' | 'stateset' }
);

const SUFFIX = { counter: '_total', gauge: '', info: '_info', stateset: '' } as const;

export function openMetricsText(families: readonly MetricFamily[]): string {
  return [...families.flatMap(familyLines), '# EOF', ''].join('\n');
}

/** A family of which there is nothing is left out. */
function familyLines(family: MetricFamily): string[] {
  const { name, type, help, samples } = family;
  if (samples.length === 0) return [];
  return [
    `# TYPE ${name} ${type}`,
    ...('unit' in family ? [`# UNIT ${name} ${family.unit}`] : []),
    `# HELP ${name} ${escaped(help)}`,
    ...samples.map(({ labels, value }) => `${name}${SUFFIX[type]}${labelText(labels)} ${value}`),
  ];
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** Nothing of a name reaches a terminal as more than a sign, and none ends a label or a line. */
function escaped(text: string): string {
  return printable(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}
