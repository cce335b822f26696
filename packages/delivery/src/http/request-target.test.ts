import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRequestTarget } from './request-target.js';

const CHARACTERS = [
  'a',
  'Z',
  '0',
  '/',
  '.',
  '~',
  '-',
  '_',
  '%2F',
  '%',
  '\\',
  '?',
  '&',
  '=',
  '+',
  '#',
  ' ',
  ';',
  'é',
  "'",
  '"',
];

describe('the target of a request', () => {
  it('is read as a URL is', () => {
    const targets = fc.array(fc.constantFrom(...CHARACTERS), { maxLength: 24 }).map((parts) => `/${parts.join('')}`);
    fc.assert(
      fc.property(targets, (target) => {
        const url = URL.canParse(target, 'http://host') ? new URL(target, 'http://host') : undefined;
        const read = readRequestTarget(target);
        expect(read?.pathname).toBe(url?.pathname);
        expect(read && [...read.query]).toEqual(url && [...url.searchParams]);
      }),
      { numRuns: 5000, examples: [['/a??b=c'], ['/a?b=%zz&+=%2B'], ['/../a'], ['//a/b']] },
    );
  });

  it.each([undefined, '', '*', 'http://host/a'])('is nothing where it is %j', (target) => {
    expect(readRequestTarget(target)).toBeUndefined();
  });
});
