import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { RtmpClient } from '../client/client.js';
import { encodeMessage } from '../wire/chunk-writer.js';
import type { RtmpMediaMessage } from '../wire/message.js';
import type { RtmpHandlers, RtmpPlayOutput, RtmpStreamRequest } from './handlers.js';
import { RtmpServer } from './server.js';

const run = promisify(execFile);

const CHUNK_STREAMS = { 8: 4, 9: 6, 18: 5 } as const;

/** The least that a relay can be: it keeps all it got, and a player begins at the beginning. */
class Relay implements RtmpHandlers {
  readonly requests: RtmpStreamRequest[] = [];
  readonly history: RtmpMediaMessage[] = [];
  readonly #outputs = new Set<RtmpPlayOutput>();

  publish: RtmpHandlers['publish'] = async (request) => {
    this.requests.push(request);
    return {
      message: (message) => {
        this.history.push(message);
        for (const output of this.#outputs) write(output, message);
      },
      closed: () => {
        for (const output of this.#outputs) output.end('the stream has ended');
      },
    };
  };

  play: RtmpHandlers['play'] = async (request) => {
    this.requests.push(request);
    let mine: RtmpPlayOutput | undefined;
    return {
      start: (output) => {
        mine = output;
        this.#outputs.add(output);
        for (const message of this.history) write(output, message);
      },
      closed: () => {
        if (mine !== undefined) this.#outputs.delete(mine);
      },
    };
  };
}

function write({ socket, chunkSize, messageStreamId }: RtmpPlayOutput, message: RtmpMediaMessage): void {
  const { type, timestamp, payload } = message;
  socket.write(
    encodeMessage({ chunkStreamId: CHUNK_STREAMS[type], type, timestamp, messageStreamId }, chunkSize, payload),
  );
}

const folder = mkdtempSync(join(tmpdir(), 'rtmp-'));
const file = (name: string) => join(folder, name);
const log = { debug: () => {}, info: () => {}, warn: vi.fn() };

function certificate(name: string): { key: Buffer; cert: Buffer } {
  const [key, cert] = [file(`${name}.key`), file(`${name}.pem`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-nodes', '-days', '1', ...curve, ...subject, '-keyout', key, '-out', cert],
    {
      stdio: 'ignore',
    },
  );
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

beforeAll(() => {
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30', '-f', 'lavfi', '-i', 'sine'],
    ...['-t', '2', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30', '-c:a', 'aac', file('clip.flv')],
  ]);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(['rtmp', 'rtmps'] as const)('ffmpeg over %s', (scheme) => {
  test('publishes, and plays what was published', async () => {
    const relay = new Relay();
    const tls = scheme === 'rtmps' ? { tls: certificate('localhost') } : {};
    const server = new RtmpServer({ handlers: relay, log, ...tls });
    const { port } = await server.listen(0, '127.0.0.1');
    const url = `${scheme}://127.0.0.1:${port}/live/show`;
    try {
      const published = run('ffmpeg', [
        ...[
          '-v',
          'error',
          '-re',
          '-i',
          file('clip.flv'),
          '-c',
          'copy',
          '-rtmp_flashver',
          'FMLE/3.0 (compatible; mine)',
        ],
        ...['-f', 'flv', `${url}?key=a%20b&c=d`],
      ]);
      await vi.waitFor(() => expect(relay.history.length).toBeGreaterThan(20), 10_000);
      const probed = run('ffprobe', [
        ...['-v', 'error', '-show_entries', 'stream=codec_name,width,height,sample_rate', '-count_packets'],
        ...['-show_entries', 'stream=nb_read_packets', '-of', 'json', url],
      ]);
      await published;
      const { stdout } = await probed;
      const { streams } = JSON.parse(stdout) as { streams: Record<string, string | number>[] };
      const picture = streams.find(({ codec_name }) => codec_name === 'h264');
      const sound = streams.find(({ codec_name }) => codec_name === 'aac');
      expect(picture).toMatchObject({ width: 320, height: 180 });
      expect(sound).toMatchObject({ sample_rate: '44100' });
      expect(Number(picture?.nb_read_packets)).toBe(60);
      expect(relay.requests[0]).toMatchObject({ app: 'live', stream: 'show' });
      expect(relay.requests[0]?.connection).toMatchObject({
        encrypted: scheme === 'rtmps',
        flashVer: 'FMLE/3.0 (compatible; mine)',
      });
      expect([...(relay.requests[0]?.query ?? [])]).toEqual([
        ['key', 'a b'],
        ['c', 'd'],
      ]);
      await vi.waitFor(() => expect(server.connections).toBe(0));
      expect(log.warn).not.toHaveBeenCalled();
    } finally {
      await server.close();
    }
  });
});

describe('RTMPS', () => {
  test('a certificate is renewed for the connections to come', async () => {
    const [old, renewed] = [certificate('old'), certificate('renewed')];
    const relay = new Relay();
    const server = new RtmpServer({ handlers: relay, log, tls: old });
    const { port } = await server.listen(0, '127.0.0.1');
    const url = `rtmps://127.0.0.1:${port}/live/show`;
    try {
      await (await RtmpClient.connect(url, { tls: { ca: old.cert } })).close();
      server.setSecureContext(renewed);
      await expect(RtmpClient.connect(url, { tls: { ca: old.cert } })).rejects.toMatchObject({ name: 'RtmpError' });
      const publisher = await RtmpClient.connect(url, { tls: { ca: renewed.cert } });
      await publisher.publish();
      publisher.send({ type: 9, timestamp: 1, payload: Buffer.from([0x17]) });
      await vi.waitFor(() => expect(relay.history).toHaveLength(1));
      await publisher.close();
    } finally {
      await server.close();
    }
  });

  test('half a TLS handshake counts, is refused above the limit, and ended in time', async () => {
    const warn = vi.fn();
    const server = new RtmpServer({
      handlers: new Relay(),
      log: { ...log, warn },
      tls: certificate('localhost'),
      limits: { maxConnectionsPerIp: 2, handshakeMs: 300 },
    });
    const { port } = await server.listen(0, '127.0.0.1');
    try {
      const sockets = [1, 2, 3].map(() => connect(port, '127.0.0.1').on('error', () => {}));
      await vi.waitFor(() => expect(sockets.filter(({ closed }) => closed)).toHaveLength(1));
      expect(warn).toHaveBeenCalledTimes(1);
      await vi.waitFor(() => expect(sockets.every(({ closed }) => closed)).toBe(true), 3000);
      const url = `rtmps://127.0.0.1:${port}/live/show`;
      await (await RtmpClient.connect(url, { tls: { rejectUnauthorized: false } })).close();
    } finally {
      await server.close();
    }
  });
});
