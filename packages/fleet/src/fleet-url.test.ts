import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFleetUrl, urlOfRun } from './fleet-url.js';
import { nameOfToken, runOfSubject, runSubject, tokenOf } from './subjects.js';

describe('the URL of a server', () => {
  it.each([
    ['nats://h', ['h:4222'], 'vhostscope', undefined],
    ['nats://h:1/', ['h:1'], 'vhostscope', undefined],
    ['tls://a,b:2/lab', ['a:4222', 'b:2'], 'lab', undefined],
    ['nats://[::1]:3/H/R', ['[::1]:3'], 'vhostscope', { host: 'H', run: 'R' }],
    ['nats://h/lab/a%2Fb/c', ['h:4222'], 'lab', { host: 'a/b', run: 'c' }],
  ])('%s', (text, servers, prefix, run) => {
    expect(parseFleetUrl(text)).toMatchObject({ servers, prefix, run });
  });

  it.each([
    'nats://',
    'nats:///x',
    'http://h',
    'nats://h:0',
    'nats://h:99999',
    'nats://h h',
    'nats://h/Lab',
    'nats://h/a.b',
    'nats://h/a//b',
    'nats://h/a/b/c/d',
    'nats://h/%zz/b',
    'nats://h/>',
  ])('%s is none', (text) => {
    expect(() => parseFleetUrl(text)).toThrow('is no URL of a server');
  });

  it('holds no password, and none is repeated', () => {
    expect(() => parseFleetUrl('nats://me:secret@h')).toThrow(/^(?!.*secret).*holds a user/);
  });

  it('names a run, whatever it is called', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(name, name, (host, run) => {
        const url = parseFleetUrl('tls://h:5,i/lab');
        expect(parseFleetUrl(urlOfRun(url, { host, run }))).toEqual({ ...url, run: { host, run } });
      }),
    );
  });
});

describe('subjects', () => {
  it('hold any name in two tokens, and give it back', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(name, name, (host, run) => {
        const subject = runSubject('lab', { host, run });
        expect(subject).toMatch(/^lab\.run\.[\w=-]+\.[\w=-]+$/);
        expect(runOfSubject('lab', subject)).toEqual({ host, run });
      }),
    );
  });

  it('of others are none', () => {
    fc.assert(
      fc.property(fc.string(), (token) => {
        const name = nameOfToken(token);
        if (name !== undefined) expect(tokenOf(name)).toBe(token);
      }),
    );
    expect(runOfSubject('lab', 'lab.run.a=2.b')).toBeUndefined();
    expect(runOfSubject('lab', 'lab.clock.a.b')).toBeUndefined();
    expect(nameOfToken('=ff')).toBeUndefined();
  });
});
