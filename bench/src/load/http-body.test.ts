import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HttpAnswerError, HttpBody } from './http-body.js';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\n';
const CHUNKED = Buffer.from(
  `${HEAD}Transfer-Encoding: chunked\r\n\r\n` +
    `5\r\nhello\r\n1A;name=face\r\n${'x'.repeat(26)}\r\n1\r\n!\r\n0\r\n\r\nnot of the body`,
);
const CHUNKED_BODY = `hello${'x'.repeat(26)}!`;
const WHOLE = Buffer.from(`${HEAD}\r\nFLV without end`);

function read(pieces: readonly Buffer[]): string {
  let body = '';
  const reader = new HttpBody({
    feed: (bytes, start, end) => {
      body += bytes.toString('latin1', start, end);
    },
  });
  for (const piece of pieces) reader.feed(piece, 0, piece.length);
  return body;
}

describe('HttpBody', () => {
  test('takes chunks apart, with extensions, up to the last', () => {
    expect(read([CHUNKED])).toBe(CHUNKED_BODY);
  });

  test('hands on a body that ends with the connection', () => {
    expect(read([WHOLE])).toBe('FLV without end');
  });

  test('split at every byte', () => {
    for (const [answer, body] of [[CHUNKED, CHUNKED_BODY] as const, [WHOLE, 'FLV without end'] as const]) {
      for (let at = 0; at <= answer.length; at++) {
        expect(read([answer.subarray(0, at), answer.subarray(at)])).toBe(body);
      }
      expect(read(Array.from(answer, (byte) => Buffer.of(byte)))).toBe(body);
    }
  });

  test('any chunks give their bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, unit: 'binary-ascii' })), (parts) => {
        const chunks = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('');
        const answer = `${HEAD}transfer-encoding: Chunked\r\n\r\n${chunks}0\r\n\r\n`;
        expect(read([Buffer.from(answer, 'latin1')])).toBe(parts.join(''));
      }),
    );
  });

  test('refuses other answers by their status', () => {
    expect(() => read([Buffer.from('HTTP/1.1 404 Not Found\r\n\r\n')])).toThrow('HTTP/1.1 404 Not Found');
    expect(() => read([Buffer.alloc(20_000, 0x41)])).toThrow(HttpAnswerError);
  });

  test('nothing but its own error is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(CHUNKED.length), (noise, at) => {
        const bytes = Buffer.concat([CHUNKED.subarray(0, at), Buffer.from(noise), CHUNKED.subarray(at)]);
        try {
          read([bytes]);
        } catch (error) {
          expect(error).toBeInstanceOf(HttpAnswerError);
        }
      }),
    );
  });
});
