import { describe, expect, it } from 'vitest';
import { whipEndpoint } from './publish-target.js';

describe('whipEndpoint', () => {
  const origin = 'https://host:8088';
  const url = `${origin}/whip/live/show`;

  it.each([
    ['', '', { url }],
    ['?token=a%26b', ' ', { url: `${url}?token=a%26b` }],
    ['', 'e30.e30.x', { url, authorization: 'Bearer e30.e30.x' }],
    ['?a=1', ' key_00ff ', { url: `${url}?a=1&key=key_00ff` }],
    ['?key=key_aa', 'key_bb', { url: `${url}?key=key_bb` }],
  ])('of %j and %j', (search, credential, endpoint) => {
    expect(whipEndpoint(origin, 'live/show', search, credential)).toEqual(endpoint);
  });
});
