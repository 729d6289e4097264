import { describe, expect, it } from 'vitest';
import { createLiveEvents } from './live-events.js';

function heard(text: string, chunk = text.length): string[] {
  const said: string[] = [];
  const events = createLiveEvents({
    onEvent: ({ name, time, cpu, process, thread, comm, fields }) => {
      said.push(`${comm}|${process}/${thread}|${cpu}|${time}|${name}|${fields.trim()}`);
      return !name.endsWith('bare');
    },
    onFrame: (frame) => said.push(`frame ${frame.trim()}`),
    onChainEnd: () => said.push('end'),
    onLost: (howMany) => said.push(`lost ${howMany ?? '?'}`),
    onOther: (other) => said.push(`other ${other}`),
  });
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += chunk) events.push(bytes.subarray(at, at + chunk));
  events.end();
  return said;
}

const EVENT = (
  comm: string,
  rest = 'g:round: (ffffffffc04df650) vq=0x10 num=5 ffffffff81 fn',
): string => `${comm.padStart(16)} 193/198   [001]    30.148057810: ${rest}\n`;

describe.each([1, 7, 1000])('in pieces of %i bytes', (chunk) => {
  it('events are told with thread, CPU, time and fields', () => {
    expect(heard(EVENT('vhost-193'), chunk)).toEqual([
      'vhost-193|193/198|1|30148057810|g:round|(ffffffffc04df650) vq=0x10 num=5 ffffffff81 fn',
    ]);
  });

  it('behind an event without a call chain, a line that begins as a frame does is an event', () => {
    const text = `${EVENT('x', 'g:bare: a=1')}${EVENT('\ty').trimStart().replace(/^/, '\t')}`;
    expect(heard(text, chunk)).toEqual([
      'x|193/198|1|30148057810|g:bare|a=1',
      expect.stringContaining('|193/198|1|30148057810|g:round|'),
    ]);
  });

  it('a call chain belongs to the event before it', () => {
    const text = `${EVENT('x').trimStart()}\tffffffff81 do_x (k)\n\tffffffff82 do_y\n\n${EVENT('y')}`;
    expect(heard(text, chunk).map((line) => line.slice(0, 14))).toEqual([
      'x|193/198|1|30',
      'frame ffffffff',
      'frame ffffffff',
      'end',
      'y|193/198|1|30',
    ]);
  });

  it('a name with line feeds is one, and forges nothing', () => {
    for (const name of [
      'x\n 1 [0] 1.0\u001b',
      '\n\n',
      'M 9 0 1\nab',
      '\ta\n\tb',
      'a: b: [000] 1.',
    ]) {
      const said = heard(EVENT('first') + EVENT(name) + EVENT('last'), chunk);
      expect(said.filter((line) => line.includes('|g:round|'))).toHaveLength(3);
      expect(said.filter((line) => line.startsWith('lost'))).toEqual([]);
      expect(said.join('')).not.toContain('\u001b');
    }
    expect(heard(EVENT('x\ny'), chunk)[0]).toMatch(/^x\\x0ay\|193\/198\|/);
  });

  it('what perf lost is told', () => {
    const text =
      EVENT('t', 'PERF_RECORD_LOST lost 17') +
      EVENT('t', 'PERF_RECORD_LOST_SAMPLES lost 3') +
      EVENT('t', 'PERF_RECORD_THROTTLE x') +
      EVENT('t', 'PERF_RECORD_COMM exec: x:1/1');
    expect(heard(text, chunk)).toEqual(['lost 17', 'lost ?']);
  });

  it('other lines are told, blank ones and a cut one are not', () => {
    expect(
      heard(`\n\nsome words that are no event\n${EVENT('x')}cut`, chunk).map((line) =>
        line.slice(0, 16),
      ),
    ).toEqual(['other some words', 'x|193/198|1|3014']);
  });
});
