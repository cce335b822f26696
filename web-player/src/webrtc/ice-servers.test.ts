import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { iceServersOf } from './ice-servers.js';

describe('iceServersOf', () => {
  it('reads the servers of the example in RFC 9725', () => {
    const link = [
      '<stun:stun.example.net>; rel="ice-server"',
      '<turn:turn.example.net?transport=udp>; rel="ice-server"; username="user"; credential="myPassword"; credential-type="password"',
      '<turns:turn.example.net?transport=tcp>; rel="ice-server"; username="user"; credential="myPassword"; credential-type="password"',
    ].join(', ');
    expect(iceServersOf(link)).toEqual([
      { urls: 'stun:stun.example.net' },
      { urls: 'turn:turn.example.net?transport=udp', username: 'user', credential: 'myPassword' },
      { urls: 'turns:turn.example.net?transport=tcp', username: 'user', credential: 'myPassword' },
    ]);
  });

  it('bears names with colons, escapes, commas in quotes, tokens, and spaces left out', () => {
    const link =
      '<turn:[::1]:3478>;rel=ice-server;username="17:live, show";credential="a\\"b\\\\c=,;",<stun:x>;REL="next ice-server"';
    expect(iceServersOf(link)).toEqual([
      { urls: 'turn:[::1]:3478', username: '17:live, show', credential: 'a"b\\c=,;' },
      { urls: 'stun:x' },
    ]);
  });

  it.each([
    [null],
    [''],
    ['nonsense'],
    ['<https://example.org/>; rel="ice-server"'],
    ['<stun:x>; rel="next"'],
    ['<stun:x>'],
    ['<turn:x>; rel="ice-server"'],
    ['<turn:x>; rel="ice-server"; username="u"; credential="c"; credential-type="oauth"'],
  ])('leaves out what a browser could not use: %s', (link) => {
    expect(iceServersOf(link)).toEqual([]);
  });

  it('bears anything', () => {
    const piece = fc.constantFrom('<', '>', ';', ',', '"', '\\', '=', ' ', 'turn:', 'rel', 'ice-server', 'a');
    fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => void iceServersOf(pieces.join(''))));
    fc.assert(fc.property(fc.string(), (link) => void iceServersOf(link)));
  });

  it('returns what was put in', () => {
    const text = fc.string({ minLength: 1 });
    fc.assert(
      fc.property(text, text, (username, credential) => {
        const quoted = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`;
        const link = `<turn:host>; rel="ice-server"; username=${quoted(username)}; credential=${quoted(credential)}`;
        expect(iceServersOf(link)).toEqual([{ urls: 'turn:host', username, credential }]);
      }),
    );
  });
});
