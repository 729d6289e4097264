import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFleetUrl, parseServerUrl, urlOfRun } from './fleet-url.js';
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
    'nats://h/a//b',
    'nats://h/a/b/c/d',
    'nats://h/%zz/b',
    'nats://h/Lab/a/b',
    'nats://h/%zz',
  ])('%s is none', (text) => {
    expect(() => parseFleetUrl(text)).toThrow('is no URL of a server');
  });

  const otherwise = (prefix: string, host: string): object => ({
    prefix,
    host,
    run: undefined,
    otherwise: undefined,
  });
  it.each([
    ['nats://h/lab', { prefix: 'lab', host: undefined }, otherwise('vhostscope', 'lab')],
    ['nats://h/a/b', { prefix: 'vhostscope', run: { host: 'a', run: 'b' } }, otherwise('a', 'b')],
    // None of these can be a prefix.
    ['nats://h/Lab', otherwise('vhostscope', 'Lab'), undefined],
    ['nats://h/a.b', otherwise('vhostscope', 'a.b'), undefined],
    ['nats://h/a%2Fb', otherwise('vhostscope', 'a/b'), undefined],
    ['nats://h/A/b', { prefix: 'vhostscope', run: { host: 'A', run: 'b' } }, undefined],
    ['nats://h/a/b/c', { prefix: 'a', run: { host: 'b', run: 'c' } }, undefined],
  ])('%s: what its words may be', (text, first, other) => {
    const url = parseFleetUrl(text);
    expect(url).toMatchObject(first);
    if (other === undefined) expect(url.otherwise).toBeUndefined();
    else expect(url.otherwise).toMatchObject(other);
  });

  it('of what only a server can be', () => {
    expect(parseServerUrl('nats://h/lab')).toMatchObject({ prefix: 'lab' });
    expect(() => parseServerUrl('nats://h/a/b')).toThrow('names a run, and a server is to be');
    expect(() => parseServerUrl('nats://h/lab/a/b')).toThrow('names a run');
    expect(() => parseServerUrl('nats://h/a.b')).toThrow(/its prefix is not of a-z/);
  });

  it('holds no password, and none is repeated', () => {
    expect(() => parseFleetUrl('nats://me:secret@h')).toThrow(/^(?!.*secret).*holds a user/);
  });

  it('names a run, whatever it is called', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(name, name, (host, run) => {
        const url = parseServerUrl('tls://h:5,i/lab');
        const named = { ...url, host: undefined, run: { host, run } };
        expect(parseFleetUrl(urlOfRun(url, { host, run }))).toEqual({
          ...named,
          otherwise: undefined,
        });
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
