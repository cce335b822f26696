import { readFile } from 'node:fs/promises';
import { loadConfig, systemClock, TokenIssuer } from '@sluice/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { makeClip } from './support/clip.js';
import { runSluice } from './support/command.js';
import { freePort } from './support/free-port.js';
import { IS_LONG } from './support/long.js';
import { type Nginx, startNginx } from './support/nginx.js';
import { ClipPublisher } from './support/publisher.js';
import { SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { HlsViewer, parsePlaylist } from './support/viewers.js';

const ORIGIN_SECRET = `origin-secret-${SECRET_MARK}`;
const FORMER_SECRET = `former-secret-${SECRET_MARK}`;
const TOKEN_SECRET = `secret-of-the-tokens-of-the-cdn-${SECRET_MARK}`;
const DOCS = new URL('../docs/cdn/', import.meta.url);

/** The example of the documentation, with what is to be put into it. */
async function exampleFor(sluice: TestServer, port: number): Promise<string> {
  const values: readonly [string, string][] = [
    ['origin.example.org:8080', `127.0.0.1:${sluice.server.ports.http}`],
    ['listen 80;', `listen 127.0.0.1:${port};`],
    ['the secret of the tokens, 32 characters or more', TOKEN_SECRET],
    ['the secret of the origin', ORIGIN_SECRET],
    ['/var/cache/nginx/sluice', '$DIR/cache'],
    ['/etc/nginx/token.js', new URL('token.js', DOCS).pathname],
  ];
  let text = await readFile(new URL('nginx.conf', DOCS), 'utf8');
  for (const [example, value] of values) {
    expect(text).toContain(example);
    text = text.replaceAll(example, value);
  }
  return `http { access_log off; ${text} }`;
}

describe('Behind a CDN', () => {
  let sluice: TestServer;
  let nginx: Nginx;
  let cdn: string;
  let publisher: ClipPublisher;
  beforeAll(async () => {
    sluice = await startServer(`
      http: { origin: { secrets: [${FORMER_SECRET}, ${ORIGIN_SECRET}] } }
      hls: { segmentSeconds: 1 }
      dash: { segmentSeconds: 1 }
      auth: { cdn: { secret: ${TOKEN_SECRET} } }`);
    const port = await freePort();
    const blocks = await exampleFor(sluice, port);
    nginx = await startNginx({ modules: ['ngx_http_js_module'], blocks, port });
    cdn = `http://127.0.0.1:${port}`;
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
  }, 60_000);
  afterAll(async () => {
    await publisher.stop();
    await nginx.stop();
    await sluice.stop();
  });

  const tokenFor = async (path: string): Promise<string> => {
    const { body } = await api<{ value: string; query: string }>(sluice, 'POST', '/api/v2/tokens', {
      kind: 'cdn',
      path,
    });
    expect(body.query).toBe('');
    return body.value;
  };
  const stateOf = (response: Response) => response.headers.get('x-cache');

  it('answers the CDN, and nobody who comes around it', async () => {
    const ask = (headers: Record<string, string> = {}) => fetch(`${sluice.http}/live/show.m3u8`, { headers });
    const refused = await ask();
    expect([refused.status, await refused.json()]).toMatchObject([403, { error: { code: 'origin-locked' } }]);
    expect((await ask({ 'X-Origin-Secret': `${ORIGIN_SECRET}x` })).status).toBe(403);
    expect((await ask({ 'X-Origin-Secret': FORMER_SECRET })).status).toBe(200);
    for (const path of ['/', '/live/show.flv', '/live/show.jpg', '/status/streams']) {
      expect([path, (await fetch(`${sluice.http}${path}`)).status]).toEqual([path, 403]);
    }
    const set = (allow: string[]) => api(sluice, 'PATCH', '/api/v2/config', { 'http.origin.allow': allow });
    expect((await set(['192.0.2.0/24'])).status).toBe(200);
    expect((await ask({ 'X-Origin-Secret': ORIGIN_SECRET, 'X-Forwarded-For': '192.0.2.1' })).status).toBe(403);
    expect((await set(['127.0.0.1'])).status).toBe(200);
    expect((await ask({ 'X-Origin-Secret': ORIGIN_SECRET })).status).toBe(200);
    const told = sluice.log.filter(({ reason }) => reason === 'origin-locked').map(({ detail }) => detail);
    expect(told).toContain('it has no X-Origin-Secret');
    expect(told).toContain('its X-Origin-Secret is wrong');
    expect(told).toContain('127.0.0.1 is not in http.origin.allow');
  });

  it('is asked through a CDN by who has a token for the stream, and nobody else', async () => {
    const [show, app] = [await tokenFor('live/show'), await tokenFor('live/*')];
    for (const token of [show, app]) expect((await fetch(`${cdn}/${token}/live/show.m3u8`)).status).toBe(200);
    const issuer = (secret: string, now: number) =>
      new TokenIssuer({
        auth: () => loadConfig({ file: { name: 'x', text: `auth: { cdn: { secret: ${secret} } }` } }).auth,
        signingSecret: () => '',
        clock: { ...systemClock, wall: () => now as ReturnType<typeof systemClock.wall> },
      }).issue('cdn', { action: 'play', path: 'live/show', validSeconds: 60 });
    const forged = await issuer(TOKEN_SECRET.replace('secret', 'forged'), Date.now());
    const expired = await issuer(TOKEN_SECRET, Date.now() - 61_000);
    const [, expires = '', prefix = '', mac = ''] = show.split('~');
    const bad = [
      ...[`live/show.m3u8`, `${forged.value}/live/show.m3u8`, `${expired.value}/live/show.m3u8`],
      ...[
        `${show}/live/show2.m3u8`,
        `${show}/live/other.m3u8`,
        `${show}/status/streams`,
        `${show}/live/../player/live/show`,
      ],
      ...[`~${Number(expires) + 60}~${prefix}~${mac}/live/show.m3u8`, `~${expires}~${prefix}~/live/show.m3u8`],
    ];
    for (const path of bad) expect([path, (await fetch(`${cdn}/${path}`)).status]).toEqual([path, 403]);
    if (!IS_LONG) return;
    const environment = { SLUICE_AUTH_CDN_SECRET: TOKEN_SECRET };
    const { stdout } = await runSluice(['token', 'live/show', '--kind', 'cdn'], environment);
    expect((await fetch(`${cdn}${stdout.trim()}/live/show.m3u8`)).status).toBe(200);
  });

  it('has its playlists fresh there, and each segment asked for once', async () => {
    const url = `${cdn}/${await tokenFor('live/show')}/live/show.m3u8`;
    const viewer = new HlsViewer(url);
    await until('it is watched', () => viewer.segments.length >= 8, 20_000);
    await viewer.leave();
    const times = viewer.samples.filter(({ kind }) => kind === 'video').map(({ dts }) => dts);
    for (const [at, dts] of times.slice(1).entries()) expect(dts - (times[at] ?? 0)).toBe(40_000);
    // 1 s in the cache, and 1 s of a segment.
    const [through, direct] = await Promise.all([
      fetch(url).then((response) => response.text()),
      fetch(`${sluice.http}/live/show.m3u8`, { headers: { 'X-Origin-Secret': ORIGIN_SECRET } }).then((response) =>
        response.text(),
      ),
    ]);
    const last = (text: string) => parsePlaylist(text, url).mediaSequence + parsePlaylist(text, url).segments.length;
    expect(last(direct) - last(through)).toBeLessThanOrEqual(2);
    const [segment] = parsePlaylist(through, url).segments.slice(-2);
    const another = `${cdn}/${await tokenFor('live/*')}`;
    const again = await fetch(segment?.url.replace(/^.*?(?=\/live)/, another) ?? '');
    expect([again.status, stateOf(again)]).toEqual([200, 'HIT']);
    const mpd = `${cdn}/${await tokenFor('live/show')}/live/show.mpd`;
    const dash = await fetch(mpd);
    expect([dash.status, dash.headers.get('cache-control')]).toEqual([200, 'public, max-age=0, s-maxage=1']);
    const [, time = ''] = /<UTCTiming [^>]*value="([^"]+)"/.exec(await dash.text()) ?? [];
    expect((await fetch(new URL(time, mpd))).status).toBe(200);
  }, 30_000);

  it('is asked once for what many wait for', async () => {
    const url = `${cdn}/${await tokenFor('live/show')}/live/show.m3u8`;
    const now = await (await fetch(url)).text();
    const { mediaSequence, segments } = parsePlaylist(now, url);
    const next = `${url}?_HLS_msn=${mediaSequence + segments.length + 1}&_HLS_part=0`;
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, at) => fetch(at % 2 === 0 ? next : `${next}&x=${at}`)),
    );
    const states = answers.map(stateOf).sort();
    expect(states).toEqual([...Array.from({ length: 29 }, () => 'HIT'), 'MISS']);
    const [answer] = answers;
    expect(answer?.headers.get('cache-control')).toBe('public, max-age=0, s-maxage=6');
    expect(new Set(await Promise.all(answers.map((one) => one.text()))).size).toBe(1);
    const [, part = ''] = [...now.matchAll(/#EXT-X-PART:[^\n]*URI="([^"]+)"/g)].at(-1) ?? [];
    const kept = await fetch(new URL(part, url));
    expect([kept.status, kept.headers.get('cache-control')]).toEqual([200, 'public, max-age=3600, immutable']);
    const tooFar = await fetch(`${url}?_HLS_msn=999999`);
    expect([tooFar.status, tooFar.headers.get('cache-control')]).toEqual([400, 'no-store']);
    const { body } = await api<{ sessions: unknown[] }>(sluice, 'GET', '/api/v2/sessions?protocol=hls');
    // However many watch: those that the CDN asked for.
    expect(body.sessions.length).toBeLessThanOrEqual(3);
  });
});
