/** Held against the grammar of OpenMetrics 1.0.0, by a reader that knows nothing of the writer. */
import { assert, array, constantFrom, integer, property, record, string } from 'fast-check';
import { printable } from '@vhostscope/terminal';
import { describe, expect, it } from 'vitest';
import { readOpenMetrics } from '../../test/open-metrics-reader.js';
import { openMetricsText, type MetricFamily } from './open-metrics.js';

function family(samples: MetricFamily['samples'], help = 'Help.'): MetricFamily {
  return { name: 'x_accesses', type: 'counter', unit: 'accesses', help, samples };
}

describe('OpenMetrics', () => {
  it('is written as its grammar has it', () => {
    expect(
      openMetricsText([
        family([{ labels: { host: 'a"b\\c' }, value: 3 }]),
        { name: 'x_left_seconds', type: 'gauge', unit: 'seconds', help: '', samples: [] },
        { name: 'x', type: 'info', help: 'Info.', samples: [{ labels: {}, value: 1 }] },
      ]),
    ).toBe(
      [
        '# TYPE x_accesses counter',
        '# UNIT x_accesses accesses',
        '# HELP x_accesses Help.',
        String.raw`x_accesses_total{host="a\"b\\c"} 3`,
        '# TYPE x info',
        '# HELP x Info.',
        'x_info 1',
        '# EOF',
        '',
      ].join('\n'),
    );
  });

  it('keeps any name and any help within its place', () => {
    const unit = constantFrom('"', '\\', '\n', '\r', '{', '}', ',', '#', 'é', '\u001b', '\u2028');
    const text = string({ unit });
    const sample = record({
      labels: record({ host: text, run: text }),
      value: integer({ min: 0 }),
    });
    assert(
      property(array(sample, { minLength: 1 }), text, (samples, help) => {
        const [read, ...others] = readOpenMetrics(openMetricsText([family(samples, help)]));
        expect(others).toEqual([]);
        expect(read?.help).toBe(printable(help));
        expect(read?.samples).toEqual(
          samples.map(({ labels: { host, run }, value }) => ({
            name: 'x_accesses_total',
            labels: { host: printable(host), run: printable(run) },
            value,
          })),
        );
      }),
    );
  });
});
