import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRunAssembly } from './assemble-run.js';
import { firstLink, linkOf, WINDOW, type Piece } from './piece.js';

const NAME = { host: 'a', run: 'b' };

function piecesOf(payloads: readonly Uint8Array[]): Piece[] {
  const pieces: Piece[] = [];
  let link = firstLink(NAME);
  let offset = 0;
  const add = (kind: Piece['kind'], bytes: Uint8Array): void => {
    const head = { kind, seq: pieces.length, offset };
    link = linkOf(link, head, [bytes]);
    pieces.push({ ...head, bytes, link });
    offset += bytes.length;
  };
  for (const bytes of payloads) add('data', bytes);
  add('closed', new Uint8Array(0));
  return pieces;
}

function read(pieces: readonly Piece[]): {
  bytes: Buffer;
  assembly: ReturnType<typeof createRunAssembly>;
} {
  const assembly = createRunAssembly(NAME);
  const bytes = Buffer.concat(pieces.flatMap((piece) => assembly.take(piece)));
  assembly.end();
  return { bytes, assembly };
}

const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), {
  minLength: 1,
  maxLength: 20,
});

describe('a run from its pieces', () => {
  it('is the trace, however often and in which order they come', () => {
    fc.assert(
      fc.property(
        payloads.chain((all) => {
          const pieces = piecesOf(all);
          const more = fc.array(fc.constantFrom(...pieces), { maxLength: 30 });
          return fc.tuple(
            fc.constant(all),
            more.chain((again) => {
              const sent = [...pieces, ...again];
              return fc.shuffledSubarray(sent, { minLength: sent.length });
            }),
          );
        }),
        ([all, sent]) => {
          const { bytes, assembly } = read(sent);
          expect(bytes).toEqual(Buffer.concat(all));
          expect(assembly.damage).toBeUndefined();
          expect(assembly.last?.kind).toBe('closed');
          expect(assembly.repeated).toBe(sent.length - all.length - 1);
        },
      ),
    );
  });

  it('ends before what is missing, and says what that is', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), (all, which) => {
        const pieces = piecesOf(all);
        const gone = which % pieces.length;
        const going = createRunAssembly(NAME);
        for (const piece of pieces.toSpliced(gone, 1)) going.take(piece);
        expect(going.lacks).toBe(
          gone < all.length ? `piece ${gone} is not on the server` : undefined,
        );
        for (const piece of pieces) going.take(piece);
        expect(going.lacks).toBe(undefined);
        const { bytes, assembly } = read(pieces.toSpliced(gone, 1));
        expect(bytes).toEqual(Buffer.concat(all.slice(0, gone)));
        // The end alone may just not have come yet.
        if (gone < all.length) expect(assembly.damage).toContain(`piece ${gone} is missing`);
        expect(assembly.last).toBeUndefined();
      }),
    );
  });

  it('takes nothing for a piece that was changed', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), fc.nat(), (all, which, byte) => {
        const pieces = piecesOf(all);
        const at = which % all.length;
        const bytes = pieces[at].bytes.slice();
        bytes[byte % bytes.length] ^= 1;
        const changed = { ...pieces[at], bytes };
        const { bytes: got, assembly } = read(pieces.with(at, changed));
        expect(got).toEqual(Buffer.concat(all.slice(0, at)));
        expect(assembly.damage).toContain(`piece ${at}`);
      }),
    );
  });

  it('tells of another piece with the same number, and goes on with the one that fits', () => {
    const all = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)];
    const pieces = piecesOf(all);
    const other = piecesOf([Uint8Array.of(1), Uint8Array.of(9)])[1];
    const { bytes, assembly } = read([pieces[0], pieces[1], other, pieces[2], pieces[3]]);
    expect([...bytes]).toEqual([1, 2, 3]);
    expect(assembly.damage).toContain('piece 1 came twice and differs');
    expect(assembly.last?.kind).toBe('closed');
  });

  it('says so where a place in the trace is wrong, or a piece is of another run', () => {
    const pieces = piecesOf([Uint8Array.of(1), Uint8Array.of(2)]);
    expect(read([pieces[0], { ...pieces[1], offset: 7 }]).assembly.damage).toContain('byte 7');
    const assembly = createRunAssembly({ host: 'a', run: 'c' });
    expect(assembly.take(pieces[0])).toEqual([]);
    expect(assembly.damage).toContain('does not follow');
  });

  it('does not wait for what its sender knows to be there', () => {
    const pieces = piecesOf(Array.from({ length: 100 }, (_, at) => Uint8Array.of(at)));
    const assembly = createRunAssembly(NAME);
    let came = 0;
    for (const piece of pieces.slice(5)) {
      assembly.take(piece);
      came++;
      if (assembly.damage !== undefined) break;
    }
    expect(assembly.damage).toContain('pieces 0 to 4 are missing');
    expect(came).toBe(4 * WINDOW - 4);
  });

  it('knows that the last piece has come before others', () => {
    const pieces = piecesOf([Uint8Array.of(1), Uint8Array.of(2)]);
    const assembly = createRunAssembly(NAME);
    assembly.take(pieces[1]);
    expect(assembly.isEndWaiting).toBe(false);
    assembly.take(pieces[2]);
    expect(assembly.isEndWaiting).toBe(true);
    assembly.take(pieces[0]);
    expect(assembly.isEndWaiting).toBe(false);
    expect(assembly.last?.kind).toBe('closed');
  });
});
