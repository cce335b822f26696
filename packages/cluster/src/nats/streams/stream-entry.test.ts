import { parseStreamPath, type Session } from '@sluice/core';
import { millis } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameOf, tokenOf } from '../names.js';
import { decodeEntry, encodeEntry, type RegisteredStream } from './stream-entry.js';

const path = parseStreamPath('live/show.v1');
const session: Session = {
  ...{ id: 'abc', action: 'publish', protocol: 'srt', path, ip: '192.0.2.1', userAgent: 'OBS', openedAt: millis(5) },
  identity: { kind: 'jwt', viewer: 'anna', credential: 'secret-hash', expiresAt: millis(9) },
  ...{ client: { tcUrl: 'rtmp://x' }, query: 'token=secret', fingerprint: 'secret' },
};
const small: RegisteredStream['renditions'][number] = {
  ...{ name: 'small', path: parseStreamPath('live/show.v1/small'), width: 160, height: 90, bandwidth: 1000 },
  ...{ codecs: undefined, video: { codec: 'avc1.42c00b', bandwidth: 900 }, reason: undefined },
  state: 'idle',
};
const entry: RegisteredStream = {
  ...{ path, node: 'a', epoch: 'e', state: 'live', session, startedAt: millis(7), renditions: [small] },
};

describe('an entry of the registry', () => {
  it('tells who publishes what where, and nothing that is a secret', () => {
    const text = encodeEntry(entry);
    expect(text).not.toContain('secret');
    expect(decodeEntry(path, text)).toEqual({
      ...entry,
      session: {
        ...session,
        identity: { kind: 'jwt', viewer: 'anna' },
        ...{ client: {}, query: '', fingerprint: 'abc', node: 'a' },
      },
    });
  });

  it('is refused where no node has written it', () => {
    for (const text of ['', '{}', 'null', encodeEntry({ ...entry, node: '' })]) {
      expect(() => decodeEntry(path, text)).toThrow();
    }
    expect(() => decodeEntry('live', encodeEntry(entry))).toThrow(/no "\/"/);
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(() => decodeEntry(path, text)).toThrow();
      }),
    );
  });

  it('has a key that is one token, and the path again', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._/-]*$/), (name) => {
        expect(tokenOf(name)).not.toContain('.');
        expect(nameOf(tokenOf(name))).toBe(name);
      }),
    );
  });
});
