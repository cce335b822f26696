import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meetingIn, readAnswer } from './answers.js';
import { refusalInUrl } from './call.js';
import { BbbError } from './errors.js';
import { ok } from './testing/api-server.js';

const NAMES = [
  'response',
  'returncode',
  'errors',
  'error',
  'key',
  'attendees',
  'attendee',
  '__proto__',
  'constructor',
  'createTime',
];
const PIECES = fc.oneof(
  fc.constantFrom(...NAMES.flatMap((name) => [`<${name}>`, `</${name}>`, `<${name}/>`, `<${name} a="/>">`])),
  fc.constantFrom(
    'SUCCESS',
    'FAILED',
    '<![CDATA[',
    ']]>',
    '<!--',
    '-->',
    '<?xml ?>',
    '&#0;',
    '&#x110000;',
    '&amp;amp;',
    '<!DOCTYPE a [',
    ']>',
    '1e99',
  ),
  fc.string({ maxLength: 8 }),
);

/** What it makes of a text; BbbError is the only error that it may throw. */
const read = (text: string): unknown => {
  try {
    return meetingIn(readAnswer('getMeetingInfo', text));
  } catch (error) {
    if (error instanceof BbbError) return error;
    throw error;
  }
};

describe('readAnswer', () => {
  it('bears anything', () => {
    fc.assert(
      fc.property(fc.array(PIECES, { maxLength: 40 }), fc.boolean(), (pieces, isWhole) => {
        const text = pieces.join('');
        read(isWhole ? ok(text) : text);
      }),
      { numRuns: 5000 },
    );
  });

  it('is back soon from what is made to keep it', () => {
    const begin = performance.now();
    for (const piece of ['<a>', '<a ', '<!--', '<![CDATA[', '&amp;', '<a b="', ']]>', '<?', '</', '<!']) {
      read(`<response>${piece.repeat(200_000)}`);
    }
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  it('repeats nothing of a request that the server repeats', () => {
    const sum = 'ab'.repeat(32);
    const said = `no\n&lt;checksum=${sum}&amp;sessionToken=abc1&amp;attendeePW=hush x ${sum} end`;
    const error = read(
      `<response><returncode>FAILED</returncode><messageKey>k</messageKey><message>${said}</message></response>`,
    );
    expect(String(error)).toMatch(/no <checksum=…&sessionToken=…&attendeePW=… x … end/);
  });

  it('takes no part of an answer for the whole', () => {
    const whole = ok('<meetings><meeting><running>true</running></meeting></meetings>');
    for (let length = 0; length < whole.length; length++) {
      expect(read(whole.slice(0, length))).toMatchObject({ code: 'bad-answer' });
    }
  });

  it('decodes once what XML has of entities, and nothing else', () => {
    const name = (text: string) => readAnswer('x', ok(`<a>${text}</a>`)).text('a');
    expect(name('&lt;b&gt; &#65;&#x42; &quot;&apos;')).toBe('<b> AB "\'');
    expect(name('&amp;lt; &eacute; &#0; &#xD800; &#x110000;')).toBe('&lt; &eacute; &#0; &#xD800; &#x110000;');
  });

  it('takes no number for one that is not whole, or not exact', () => {
    const number = (text: string) => readAnswer('x', ok(`<a>${text}</a>`)).number('a');
    expect(['7', '-1', '1.5', '0x10', '9999999999999999', ''].map(number)).toEqual([7, 0, 0, 0, 0, 0]);
  });

  it('knows one attendee, many, and none', () => {
    const attendees = (inner: string) =>
      meetingIn(readAnswer('x', ok(`<attendees>${inner}</attendees>`))).attendees.length;
    const one = '<attendee><userID>a</userID></attendee>';
    expect(['', one, one + one].map(attendees)).toEqual([0, 1, 2]);
  });
});

describe('refusalInUrl', () => {
  it('bears anything', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string({ unit: 'binary' })), (errors) => {
        expect(refusalInUrl(`https://x/?${new URLSearchParams({ errors })}`)).toBeInstanceOf(BbbError);
        expect(refusalInUrl(errors)).toBeUndefined();
      }),
    );
    expect(refusalInUrl('https://x/html5client/?sessionToken=a')).toBeUndefined();
  });
});
