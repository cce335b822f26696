import { LiveConfig, resolveConfig } from '@sluice/core';
import { expect, it } from 'vitest';
import { placeOfRequest } from './request-place.js';

const placesWith = (text: string) => {
  const live = new LiveConfig(resolveConfig({ file: { name: 'x.yml', text } }));
  const targets = ['/live/show.flv', '/live/show.m3u8', '/live/show/hls/a-1.m4s', '/live/show.mpd', '/live/show.jpg'];
  return targets.map((target) => placeOfRequest(`GET ${target} HTTP/1.1`, live));
};

it('finds the worker of an address for what is asked for again and again', () => {
  const own = 'worker-of-address';
  expect(placesWith('')).toEqual(['any-worker', own, own, own, 'main']);
});

it('has all segments made in one process where a CDN asks from many addresses', () => {
  expect(placesWith('http: { origin: { secrets: [secret-of-the-origin] } }')).toEqual([
    'any-worker',
    'main',
    'main',
    'main',
    'main',
  ]);
  expect(placesWith('http: { origin: { allow: [192.0.2.0/24] } }')).toEqual([
    'any-worker',
    'main',
    'main',
    'main',
    'main',
  ]);
});
