import { expect, it } from 'vitest';
import { OriginLock, type OriginRules } from './origin-lock.js';

const OPEN: OriginRules = { allow: [], secretHeader: 'X-Origin-Secret', secrets: [] };
const CDN = '192.0.2.7';

it('lets all in without rules', () => {
  expect(new OriginLock(() => OPEN).faultOf('203.0.113.1', {})).toBeUndefined();
});

it('lets in who comes from a listed address with one of the secrets', () => {
  let rules: OriginRules = {
    ...OPEN,
    allow: ['192.0.2.0/24', '2001:db8::/32'],
    secrets: ['first secret', 'second secret'],
  };
  const lock = new OriginLock(() => rules);
  const good = { 'x-origin-secret': 'second secret' };
  expect([lock.faultOf(CDN, good), lock.faultOf('::ffff:192.0.2.7', { 'x-origin-secret': 'first secret' })]).toEqual([
    undefined,
    undefined,
  ]);
  expect(lock.faultOf('203.0.113.1', good)).toMatch(/203\.0\.113\.1 is not in http\.origin\.allow/);
  expect(lock.faultOf(CDN, {})).toBe('it has no X-Origin-Secret');
  for (const wrong of ['', 'first', 'first secret ', 'FIRST SECRET']) {
    expect(lock.faultOf(CDN, { 'x-origin-secret': wrong })).toBe('its X-Origin-Secret is wrong');
  }
  expect(lock.faultOf(CDN, { 'x-forwarded-for': CDN })).toBeDefined();
  rules = { ...rules, secrets: ['third secret'] };
  expect(lock.faultOf(CDN, good)).toBe('its X-Origin-Secret is wrong');
});
