import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LOAD_OPTIONS, loadArguments, parseLoadResult } from './load.js';
import { loadText } from './result-text.js';

function source(name: string): string {
  return readFileSync(new URL(`../../load/${name}`, import.meta.url), 'utf8');
}

test('the options are those of the program, in the same words', () => {
  const lines = [...source('options.c').matchAll(/^\t"  --(\S+)( [A-Z]+)? +(.*)\\n"$/gm)];
  const help = lines.map(([, name, value, text]) => ({ name, value: value?.trim(), text }));
  expect(
    LOAD_OPTIONS.map(([name, value, text]) => ({
      name,
      value: value?.slice(1, -1),
      text: text.replace(/: mprotect.*/, ''),
    })),
  ).toEqual(help.filter(({ name }) => name !== 'vsock' && name !== 'wait-for'));
});

test('all kinds of disturbances of the program are named', () => {
  const kinds = [...source('disturbances.c').matchAll(/^\t\{"([a-z-]+)", act_/gm)].map(
    ([, kind]) => kind,
  );
  const option = LOAD_OPTIONS.find(([name]) => name === 'disturb');
  expect(option?.[2]).toContain(kinds.join(', '));
});

test('given options become words, flags without a value', () => {
  expect(loadArguments({ num: 1024, 'event-idx': true, huge: false, name: 'a\nb' })).toEqual([
    '--num',
    '1024',
    '--event-idx',
    '--name',
    'a\nb',
  ]);
});

const RESULT = `{"device":"vhost-net","pid":131,"seed":1,"seconds":3.000173,"features":"0x100000000","chain":1,"event_idx":false,"dirty_log":false,"iotlb":false,"kvm_vm":false,"rounds":8111,"packets":{"rx":261805,"tx":261805},"virtqueues":[{"index":0,"name":"rx","num":256,"desc":"0x7f2d06c02000","avail":"0x7f2d06c03000","used":"0x7f2d06c04000","heads_available":262028,"entries_used":261805,"kicks":1,"calls":0,"errors":0}],"iotlb_messages":{"misses":0,"updates":0,"invalidations":0},"dirty_pages":0,"disturbances":{"mprotect":{"done":1200,"failed":0},"migrate":{"done":17,"failed":16},"fork":{"done":0,"failed":0}}}\n`;

test('what the program prints is read, and shown', () => {
  const result = parseLoadResult(RESULT);
  expect(result.virtqueues[0]?.heads_available).toBe(262028);
  expect(loadText(result)).toEqual([
    'vhost-net, seed 1, 3.0 s: 8,111 rounds, 261,805 packets sent, 261,805 received',
    '',
    'virtqueue  num  heads available  entries used  kicks  calls  errors  desc            avail           used',
    '0 rx       256          262,028       261,805      1      0       0  0x7f2d06c02000  0x7f2d06c03000  0x7f2d06c04000',
    '',
    'disturbances  mprotect 1,200, migrate 17 (16 failed)',
  ]);
});

test('what is no result is told', () => {
  expect(() => parseLoadResult('Killed')).toThrow('the load printed no result: Killed');
  expect(() => parseLoadResult(RESULT.replace('"rounds":8111', '"rounds":-1'))).toThrow(
    'no result',
  );
});
