import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startBrowser } from './support/browser.js';
import { makeTestCertificate } from './support/certificate.js';
import { makeClip } from './support/clip.js';
import { answerTo, flvSamples, Http2Client, http2Frame, RawHttp2, REQUEST_HEADERS } from './support/http2-client.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { parsePlaylist } from './support/viewers.js';

const NO_ERROR = 0;
const CANCEL = 8;
/** Frame types and flags, RFC 9113 §6. */
const [HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION] = [1, 3, 4, 6, 9];
const [END_STREAM, END_HEADERS] = [1, 4];

describe('HTTP/2', () => {
  let directory: string;
  let tls: string;
  let sluice: TestServer;
  let publisher: ClipPublisher;
  let client: Http2Client;
  const warnings: string[] = [];
  const onWarning = (warning: Error) => void warnings.push(String(warning));

  beforeAll(async () => {
    process.on('warning', onWarning);
    directory = await mkdtemp(join(tmpdir(), 'sluice-http2-'));
    const { certFile, keyFile } = await makeTestCertificate(directory);
    tls = `tls: { certFile: ${certFile}, keyFile: ${keyFile} }`;
    sluice = await startServer(
      `${tls}\nhls: { segmentSeconds: 1, segments: 3 }\npublish: { graceSeconds: 0 }\nviewers: { maxStallSeconds: 2, waitForStreamSeconds: 0 }`,
    );
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
  });
  afterAll(async () => {
    await publisher.stop();
    await sluice.stop();
    await rm(directory, { recursive: true });
    process.off('warning', onWarning);
  });
  beforeEach(async () => {
    client = await Http2Client.connect(sluice.https);
    return () => client.close();
  });

  it('carries playlists and segments of HLS on one connection, many of which wait at once', async () => {
    const first = await ClipPublisher.start(`${sluice.rtmp}/live/other`, await makeClip('h264', 2), { loop: true });
    const waiting = await Promise.all(Array.from({ length: 100 }, () => client.get('/live/other.m3u8')));
    expect(new Set(waiting.map(({ status }) => status))).toEqual(new Set([200]));
    const [playlist] = waiting;
    expect(playlist?.headers).toMatchObject({
      'content-type': 'application/vnd.apple.mpegurl',
      'cache-control': 'public, max-age=0, s-maxage=1',
    });
    expect(playlist?.headers.connection).toBeUndefined();
    const { segments } = parsePlaylist(playlist?.body.toString() ?? '', `${sluice.https}/live/other.m3u8`);
    const answers = await Promise.all(segments.map(({ url }) => client.get(new URL(url).pathname)));
    for (const { status, headers, body } of answers) {
      expect([status, headers['content-type'], body.toString('latin1', 4, 8)]).toEqual([200, 'video/mp4', 'styp']);
      expect(Number(headers['content-length'])).toBe(body.length);
    }
    await first.stop();
  });

  it('carries an endless FLV answer beside others, which end without the connection', async () => {
    const stream = client.open('/live/show.flv');
    const samples = flvSamples(stream);
    await until('it plays', () => samples.length > 50);
    const head = await answerTo(client.session.request({ ':path': '/live/show.flv', ':method': 'HEAD' }));
    expect([head.status, head.headers['content-type'], head.body.length]).toEqual([200, 'video/x-flv', 0]);
    stream.close(CANCEL);
    await until('the session is closed', () =>
      sluice.log.some(
        ({ msg, protocol, reason }) => msg === 'session closed' && protocol === 'http-flv' && reason === 'viewer left',
      ),
    );
    expect((await client.get('/live/none.flv?x=1')).status).toBe(404);
    const times = samples.filter(({ kind }) => kind === 'video').map(({ dts }) => dts);
    expect(times.slice(1).filter((dts, at) => dts - (times[at] ?? 0) > 60_000)).toEqual([]);
  });

  it('lets go of who does not read FLV, and not of who reads beside it', async () => {
    const stuck = client.open('/live/show.flv');
    let reset: number | undefined;
    stuck.on('close', () => {
      reset = stuck.rstCode;
    });
    stuck.pause();
    const samples = flvSamples(client.open('/live/show.flv'));
    await until('the one that does not read is cut', () => reset !== undefined, 30_000);
    expect(reset).toBe(CANCEL);
    expect(sluice.log.some(({ reason }) => /stalled/.test(String(reason)))).toBe(true);
    const before = samples.length;
    await until('the other one goes on', () => samples.length > before + 20);
  });

  it('ends FLV politely with its stream', async () => {
    const short = await ClipPublisher.start(`${sluice.rtmp}/live/short`, await makeClip('h264', 2), { loop: true });
    const stream = client.open('/live/short.flv');
    const over = answerTo(stream);
    const samples = flvSamples(stream);
    await until('it plays', () => samples.length > 10);
    await short.stop();
    const { status, body } = await over;
    expect([status, body.toString('latin1', 0, 3)]).toEqual([200, 'FLV']);
    expect(client.session.destroyed).toBe(false);
  });

  it('answers curl, preflights, pages and WHEP', async () => {
    const url = `${sluice.https}/live/show.m3u8`;
    const format = ['-w', '\n%{http_version} %{http_code}'];
    const { stdout } = await promisify(execFile)('curl', ['-sk', '--http2', '--compressed', ...format, url]);
    expect(stdout).toMatch(/^#EXTM3U[\s\S]*\n2 200$/);
    const preflight = await answerTo(client.session.request({ ':path': '/live/show.m3u8', ':method': 'OPTIONS' }));
    expect([preflight.status, preflight.headers['access-control-allow-methods']]).toEqual([204, 'GET, HEAD, OPTIONS']);
    const page = await client.get('/player/live/show');
    expect(page.headers['content-security-policy']).toMatch(/default-src/);
    const etag = { 'if-none-match': String(page.headers.etag) };
    expect([page.status, (await client.get('/player/live/show', etag)).status]).toEqual([200, 304]);
    const offer = client.session.request({
      ':path': '/whep/live/show',
      ':method': 'POST',
      'content-type': 'application/sdp',
    });
    const refused = answerTo(offer);
    offer.end('no SDP at all');
    expect((await refused).status).toBe(400);
    expect((await answerTo(client.session.request({ ':path': '/x', ':method': 'PUT' }))).status).toBe(405);
    expect(warnings).toEqual([]);
  });

  it('leaves HTTP/1.1 and WebSocket to those who ask for them, on the same port', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const request = get(`${sluice.https}/live/show.flv`, { rejectUnauthorized: false, agent: false }, (response) => {
        response.once('data', (bytes: Buffer) => {
          resolve(`${response.httpVersion} ${response.headers.connection} ${bytes.toString('latin1', 0, 3)}`);
          request.destroy();
        });
      });
      request.on('error', reject);
    });
    expect(answer).toBe('1.1 close FLV');
    const { stdout } = await promisify(execFile)('curl', ['-skD-', '--http1.1', `${sluice.https}/live/show.m3u8`]);
    expect(stdout).toMatch(/^HTTP\/1\.1 200[\s\S]*Keep-Alive: timeout=30\r\n/);
    const socket = new WebSocket(`${sluice.https.replace('https', 'wss')}/live/show.flv`, {
      rejectUnauthorized: false,
    });
    const [bytes] = await new Promise<[Buffer]>((resolve, reject) => {
      socket.once('message', (data: Buffer) => resolve([data]));
      socket.once('error', reject);
    });
    expect(bytes.toString('latin1', 0, 3)).toBe('FLV');
    socket.terminate();
  });

  it('has bounds: for headers, streams at a time, and frames that ask for nothing', async () => {
    const settings = client.session.remoteSettings;
    expect(settings).toMatchObject({ maxConcurrentStreams: 128, maxHeaderListSize: 16_384 });
    await expect(client.get('/live/show.m3u8', { 'x-long': 'x'.repeat(30_000) })).rejects.toThrow(/reset/);
    expect((await client.get('/live/show.m3u8')).status).toBe(200);

    const floods: Record<string, (index: number) => Buffer> = {
      'rapid reset': (index) =>
        Buffer.concat([
          http2Frame(HEADERS, END_STREAM | END_HEADERS, 1 + index * 2, REQUEST_HEADERS),
          http2Frame(RST_STREAM, 0, 1 + index * 2, Buffer.from([0, 0, 0, CANCEL])),
        ]),
      PING: () => http2Frame(PING, 0, 0, Buffer.alloc(8)),
      SETTINGS: () => http2Frame(SETTINGS, 0, 0, Buffer.alloc(0)),
      CONTINUATION: (index) => http2Frame(index === 0 ? HEADERS : CONTINUATION, 0, 1, Buffer.alloc(0)),
    };
    for (const [name, frame] of Object.entries(floods)) {
      const raw = await RawHttp2.connect(sluice.https);
      for (let sent = 0; sent < 20_000 && !raw.closed; sent += 20) {
        raw.send(...Array.from({ length: 20 }, (_, index) => frame(sent + index)));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(`the flood of ${name} is cut`, () => raw.closed);
    }
    expect((await client.get('/live/show.m3u8')).status).toBe(200);
  });

  it('keeps to its bound of streams, whatever the client', async () => {
    const waits = 'viewers: { waitForStreamSeconds: 60 }';
    const patient = await startServer(`${tls}\n${waits}`);
    const eager = await Http2Client.connect(patient.https);
    for (let count = 0; count < 140; count++) eager.open('/live/none.flv');
    const sessions = () => patient.log.filter(({ msg }) => msg === 'session opened').length;
    await until('as many wait as may', () => sessions() >= 128);
    await eager.session.ping(() => undefined);
    expect(sessions()).toBe(128);
    eager.close();
    await patient.stop();
  });

  it('says goodbye at shutdown, and lets what is under way end', async () => {
    const other = await startServer(tls);
    const viewer = await Http2Client.connect(other.https);
    const status = await viewer.get('/status/streams');
    expect(status.status).toBe(200);
    const idle = await Http2Client.connect(other.https);
    await other.stop();
    await until('both are closed', () => viewer.session.destroyed && idle.session.destroyed);
    expect([viewer.goaway, idle.goaway]).toEqual([NO_ERROR, NO_ERROR]);
  });

  it.each(['hls', 'flv', 'ws-flv'])('plays in Chromium over TLS by %s', async (protocol) => {
    const browser = await startBrowser({ trustsAnyCertificate: true });
    const page = await browser.newPage();
    await page.goto(`${sluice.https}/player/live/show?protocol=${protocol}`);
    const report = () => page.evaluate('globalThis.sluicePlayer?.framesDecoded ?? 0') as Promise<number>;
    await until('it plays', async () => (await report()) > 50, 30_000);
    const hops = (await page.evaluate(
      `performance.getEntriesByType('resource').map(({ nextHopProtocol }) => nextHopProtocol)`,
    )) as string[];
    expect(new Set(hops.filter((hop) => hop !== ''))).toEqual(new Set(['h2']));
    await browser.close();
  });
});
