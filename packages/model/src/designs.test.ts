/** The table of designs. */
import { describe, expect, it } from 'vitest';
import { DESIGNS, findDesign } from './designs.js';

describe('designs', () => {
  it('have names of their own, by which they are found', () => {
    for (const design of DESIGNS) expect(findDesign(design.name)).toBe(design);
    expect(new Set(DESIGNS.map(({ name }) => name)).size).toBe(DESIGNS.length);
    expect(findDesign('none of them')).toBeUndefined();
  });

  it('differ in their switches, or in what no switch says', () => {
    const switches = DESIGNS.map((design) => JSON.stringify({ ...design, name: '', title: '' }));
    expect(new Set(switches).size).toBe(DESIGNS.length);
  });
});
