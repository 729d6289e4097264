import { expect, test } from 'vitest';
import { withBlock } from '../bench/recorded-figures.mjs';

const PAGE =
  'a\n<!-- run x -->\nold\n<!-- end of run x -->\nb\n<!-- run y -->\n<!-- end of run y -->\n';

test('a benchmark writes its own block of the page, and nothing else', () => {
  const page = withBlock(PAGE, 'run x', 'new $& \n');
  expect(page).toMatch(
    /^a\n<!-- run x -->\n\d{4}-\d\d-\d\d, \S+: \d+ × .*, Linux .*, Node v.*\n\n```text\nnew \$&\n```\n<!-- end of run x -->\nb\n/,
  );
  expect(withBlock(page, 'run y', 'more')).toContain('new $&');
});

test('a page without the block is not touched', () => {
  expect(() => withBlock(PAGE, 'run z', 'new')).toThrow('has no block of run z');
});
