import { describe, expect, it } from 'vitest';
import { announcedBy, isSdpPath, legacyActionOf, sdpRouteOf } from './sdp-route.js';

const query = (text = '') => new URLSearchParams(text);

describe('the places where offers are answered', () => {
  it('are those of WHIP and WHEP, and those of SRS', () => {
    const id = '0123456789abcdef0123456789abcdef';
    const [whip, whep] = [`/whip/live/${id}`, `/whep/live/a/b/${id}`];
    expect(sdpRouteOf('POST', '/whip/live/show', query())).toMatchObject({ action: 'publish', path: 'live/show' });
    expect(sdpRouteOf('POST', whip, query())).toMatchObject({ action: 'publish', path: `live/${id}`, id: undefined });
    expect(sdpRouteOf('DELETE', whep, query())).toMatchObject({ action: 'play', path: 'live/a/b', id });
    const srs = sdpRouteOf('POST', '/rtc/v1/whip-play/', query('app=live&stream=show'));
    expect(srs).toMatchObject({ action: 'play', path: 'live/show', id: undefined });
    expect(srs?.locationOf('5c')).toBe('/rtc/v1/whip-play/?action=delete&app=live&stream=show&session=5c');
    const none = sdpRouteOf('POST', '/rtc/v1/whip/', query());
    expect(none).toMatchObject({ action: 'publish', path: 'live/livestream' });
    expect(legacyActionOf('/rtc/v1/play/')).toBe('play');
    expect(legacyActionOf('/rtc/v1/publish')).toBe('publish');
    for (const path of ['/whip/', '/whips/a/b', '/rtc/v1/stop/']) expect(isSdpPath(path)).toBe(false);
  });

  it.each([
    ['eip=203.0.113.5', [{ address: '203.0.113.5' }]],
    ['eip=203.0.113.5:9000', [{ address: '203.0.113.5', port: 9000 }]],
    ['candidate=2001:db8::5', [{ address: '2001:db8::5' }]],
    ['candidate=[2001:db8::5]:9000', [{ address: '2001:db8::5', port: 9000 }]],
    ['eip=example.org', undefined],
    ['eip=203.0.113.5:99999', undefined],
    ['eip=203.0.113.5:0', undefined],
    ['', undefined],
  ])('take %j for the address of the server', (text, expected) => {
    expect(announcedBy(query(text))).toEqual(expected);
  });
});
