import { loadConfig } from '@sluice/core';
import { expect, it } from 'vitest';
import { audienceOf, changing, unchanging } from './caching.js';

const accessWith = (text: string) => loadConfig({ file: { name: 'x.yml', text: `access: ${text}` } }).access;

it.each([
  ['{}', undefined, 'shared'],
  ['{ publish: closed }', undefined, 'shared'],
  ['{}', 'the key of a session', 'own'],
  ['{ play: local }', undefined, 'own'],
  ['{ playAllow: [192.0.2.0/24] }', undefined, 'own'],
  ['{ playDeny: [192.0.2.0/24] }', undefined, 'own'],
])('lets caches pass on only what everybody may have: %s %s', (access, key, audience) => {
  expect(audienceOf(key, accessWith(access))).toBe(audience);
});

it('says how long', () => {
  expect([changing('shared', 0.3), changing('shared', 12.7), changing('own', 12)]).toEqual([
    'public, max-age=0, s-maxage=1',
    'public, max-age=0, s-maxage=12',
    'private, no-store',
  ]);
  expect([unchanging('shared'), unchanging('own')]).toEqual([
    'public, max-age=3600, immutable',
    'private, max-age=3600, immutable',
  ]);
});
