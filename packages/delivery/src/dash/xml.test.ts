import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element, writeXml } from './xml.js';

const attributeOf = (value: string): string => / value="([^"]*)"/.exec(writeXml(element('A', { value })))?.[1] ?? '';

describe('writeXml', () => {
  it('writes elements with their attributes and children, and leaves out what is undefined', () => {
    const root = element('MPD', { type: 'dynamic', id: undefined }, [
      undefined,
      element('Period', { id: 1 }, [element('S', { d: 2, ok: false })]),
    ]);
    expect(writeXml(root)).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<MPD type="dynamic">\n  <Period id="1">\n    <S d="2" ok="false"/>\n  </Period>\n</MPD>\n',
    );
  });

  it('writes every text so that it is read as it was, as far as XML has a way to', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const found = attributeOf(text);
        expect(found).not.toMatch(/[<>"\n\r\t]|&(?!(?:amp|lt|gt|quot|#\d+);)/);
        const read = found
          .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
          .replaceAll('&lt;', '<')
          .replaceAll('&gt;', '>')
          .replaceAll('&quot;', '"')
          .replaceAll('&amp;', '&');
        // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 can't write them
        expect(read).toBe(text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd'));
      }),
    );
    expect(attributeOf('a\ud800b')).toBe('a\ufffdb');
  });
});
