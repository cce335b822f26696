import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type DtlsCertificate, fingerprintOf, makeCertificate } from './certificate.js';
import { DtlsEndpoint, type DtlsKeys } from './endpoint.js';

const newCertificate = (): DtlsCertificate =>
  makeCertificate({
    commonName: 'sluice',
    notBefore: new Date('2026-01-01'),
    notAfter: new Date('2056-01-01'),
    serial: randomBytes(16),
  });

const CLIENT = newCertificate();
const SERVER = newCertificate();

/** Numbers that look like chance and are the same in each run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Fault {
  readonly loss?: number;
  readonly seed?: number;
  /** What the client takes the server's certificate for. */
  readonly expected?: string;
  readonly change?: (datagram: Buffer, from: 'client' | 'server', count: number) => Buffer;
}

/** A handshake over a line that loses and reorders, on a virtual clock. */
function handshake({ loss = 0, seed = 1, expected, change }: Fault = {}) {
  const random = chance(seed);
  const keys: Partial<Record<'client' | 'server', DtlsKeys>> = {};
  const closed: Partial<Record<'client' | 'server', string>> = {};
  let [now, count] = [0, 0];
  let underWay: { at: number; to: 'client' | 'server'; datagram: Buffer }[] = [];
  const make = (role: 'client' | 'server', own: DtlsCertificate, fingerprint: string): DtlsEndpoint =>
    new DtlsEndpoint({
      role,
      certificate: own,
      remoteFingerprint: { algorithm: 'sha-256', value: fingerprint },
      random: randomBytes,
      send: (datagram) => {
        expect(datagram.length).toBeLessThanOrEqual(1200);
        if (random() < loss) return;
        const sent = change?.(Buffer.from(datagram), role, count++) ?? datagram;
        underWay.push({
          at: now + 20 + random() * 30 * loss,
          to: role === 'client' ? 'server' : 'client',
          datagram: sent,
        });
      },
      connected: (got) => {
        keys[role] = got;
      },
      closed: (reason) => {
        closed[role] ??= reason;
      },
    });
  const ends = {
    client: make('client', CLIENT, expected ?? SERVER.fingerprint),
    server: make('server', SERVER, CLIENT.fingerprint),
  };
  ends.client.start(now);
  for (; now < 30_000 && !(keys.client && keys.server) && !(closed.client && closed.server); now += 5) {
    const due = underWay.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    underWay = underWay.filter(({ at }) => at > now);
    for (const { to, datagram } of due) ends[to].receive(datagram, now);
    ends.client.tick(now);
    ends.server.tick(now);
  }
  return { keys, closed, ends, now };
}

describe('DTLS', () => {
  it('makes certificates that others can read', () => {
    const parsed = new X509Certificate(SERVER.der);
    expect(parsed.subject).toBe('CN=sluice');
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.fingerprint256).toBe(SERVER.fingerprint);
  });

  it('gives both sides the same keys', () => {
    const { keys, now } = handshake();
    expect(keys.client?.profile).toBe('AEAD_AES_128_GCM');
    expect(keys.client?.localKey).toEqual(keys.server?.remoteKey);
    expect(keys.client?.remoteSalt).toEqual(keys.server?.localSalt);
    expect(keys.client?.localKey).not.toEqual(keys.client?.remoteKey);
    expect([keys.server?.localKey.length, keys.server?.localSalt.length]).toEqual([16, 12]);
    expect(now).toBeLessThan(200);
  });

  it('gets through a line that loses a third and reorders', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { keys, closed } = handshake({ loss: 0.3, seed });
      expect([seed, closed]).toEqual([seed, {}]);
      expect(keys.client?.localKey).toEqual(keys.server?.remoteKey);
    }
  });

  it('refuses a peer whose certificate is not the one that was described', () => {
    const { keys, closed } = handshake({ expected: CLIENT.fingerprint });
    expect(keys).toEqual({});
    expect(closed.client).toMatch(/another certificate/);
    expect(closed.server).toMatch(/alert 42/);
  });

  it('never gives keys where any byte of the handshake was changed, and never throws', () => {
    // The first datagrams of each side; what comes later is sealed.
    for (let which = 0; which < 4; which++) {
      for (let at = 0; at < 1200; at += 7) {
        let touched = false;
        const change = (datagram: Buffer, _from: 'client' | 'server', count: number) => {
          if (count !== which || at >= datagram.length) return datagram;
          touched = true;
          datagram[at] = (datagram[at] ?? 0) ^ 0x21;
          return datagram;
        };
        const { keys } = handshake({ change });
        if (!touched || (keys.client === undefined && keys.server === undefined)) continue;
        // A datagram that was dropped for it was sent again: both have the same keys then.
        if (keys.client && keys.server) expect(keys.client.localKey).toEqual(keys.server.remoteKey);
      }
    }
  });

  it('says goodbye', () => {
    const { ends, closed } = handshake();
    ends.client.close();
    expect(closed.client).toBe('closed');
    expect(ends.client.state).toBe('closed');
  });

  it('gives up a peer that never answers', () => {
    const { closed, now } = handshake({ loss: 1 });
    expect(closed.client).toMatch(/no answer/);
    expect(now).toBeGreaterThan(10_000);
  });

  it('bears anything', () => {
    const server = () =>
      new DtlsEndpoint({
        role: 'server',
        certificate: SERVER,
        remoteFingerprint: { algorithm: 'sha-256', value: CLIENT.fingerprint },
        random: randomBytes,
        send: () => undefined,
        connected: () => expect.unreachable(),
        closed: () => undefined,
      });
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 8 }), fc.nat(30), (bodies, type) => {
        const end = server();
        for (const [sequence, body] of bodies.entries()) {
          end.receive(Buffer.from(body), 0);
          const message = Buffer.alloc(12);
          message.writeUInt8(type, 0);
          message.writeUIntBE(body.length, 1, 3);
          message.writeUInt16BE(sequence, 4);
          message.writeUIntBE(body.length, 9, 3);
          const header = Buffer.from([22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, sequence, 0, 12 + body.length]);
          end.receive(Buffer.concat([header, message, body]), 0);
        }
        end.tick(10_000);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('DTLS with OpenSSL', () => {
  const closing: (() => Promise<unknown> | unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const EXPORT = ['-keymatexport', 'EXTRACTOR-dtls_srtp', '-keymatexportlen', '60'];
  const SRTP = ['-use_srtp', 'SRTP_AES128_CM_SHA1_80', '-dtls1_2'];

  async function files(): Promise<{ cert: string; key: string }> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-dtls-'));
    closing.push(() => rm(folder, { recursive: true }));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const pem = CLIENT.der.toString('base64').replace(/(.{64})/g, '$1\n');
    await writeFile(cert, `-----BEGIN CERTIFICATE-----\n${pem}\n-----END CERTIFICATE-----\n`);
    await writeFile(key, CLIENT.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    return { cert, key };
  }

  function openssl(args: readonly string[]): { child: ChildProcess; said: () => string } {
    const child = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let text = '';
    for (const output of [child.stdout, child.stderr])
      output?.on('data', (bytes: Buffer) => (text += bytes.toString()));
    closing.push(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    return { child, said: () => text };
  }

  async function udp(): Promise<Socket> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    closing.push(() => socket.close());
    return socket;
  }

  function endpoint(role: 'client' | 'server', socket: Socket, peer: () => number) {
    const got: { keys?: DtlsKeys; closed?: string } = {};
    const end = new DtlsEndpoint({
      role,
      certificate: SERVER,
      remoteFingerprint: { algorithm: 'SHA-256', value: fingerprintOf(CLIENT.der, 'sha256').toLowerCase() },
      random: randomBytes,
      send: (datagram) => socket.send(datagram, peer(), '127.0.0.1'),
      connected: (keys) => {
        got.keys = keys;
      },
      closed: (reason) => {
        got.closed = reason;
      },
    });
    const timer = setInterval(() => end.tick(performance.now()), 50);
    closing.push(() => clearInterval(timer));
    return { end, got };
  }

  /** Client key, server key, client salt, server salt: RFC 5764 §4.2. */
  const materialOf = (keys: DtlsKeys | undefined, role: 'client' | 'server') => {
    const { localKey, localSalt, remoteKey, remoteSalt } = keys ?? {};
    const parts =
      role === 'client' ? [localKey, remoteKey, localSalt, remoteSalt] : [remoteKey, localKey, remoteSalt, localSalt];
    return Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0)))
      .toString('hex')
      .toUpperCase();
  };

  it('as its client agrees on the same keys', async () => {
    const { cert, key } = await files();
    const socket = await udp();
    let port = 0;
    const { end, got } = endpoint('server', socket, () => port);
    socket.on('message', (datagram, from) => {
      port = from.port;
      end.receive(datagram, performance.now());
    });
    const to = `127.0.0.1:${socket.address().port}`;
    const { said } = openssl(['s_client', '-connect', to, '-cert', cert, '-key', key, ...SRTP, ...EXPORT]);
    await vi.waitFor(() => expect(got.keys?.profile).toBe('AES_CM_128_HMAC_SHA1_80'), 5000);
    await vi.waitFor(() => expect(said()).toContain(`Keying material: ${materialOf(got.keys, 'server')}`), 5000);
    expect(said()).toContain('Extended master secret: yes');
  });

  // The certificate's curve has to be among them as well.
  it.each(['P-256', 'X25519:P-256'])('as its server agrees on the same keys, by %s', async (group) => {
    const { cert, key } = await files();
    const probe = await udp();
    const { port } = probe.address();
    closing.pop();
    await new Promise<void>((done) => probe.close(() => done()));
    const { said } = openssl([
      ...['s_server', '-accept', `127.0.0.1:${port}`, '-cert', cert, '-key', key, '-groups', group, '-Verify', '1'],
      ...[...SRTP, ...EXPORT],
    ]);
    await vi.waitFor(() => expect(said()).toContain('ACCEPT'), 5000);
    const socket = await udp();
    const { end, got } = endpoint('client', socket, () => port);
    socket.on('message', (datagram) => end.receive(datagram, performance.now()));
    end.start(performance.now());
    await vi.waitFor(() => expect(got.keys?.profile).toBe('AES_CM_128_HMAC_SHA1_80'), 5000);
    await vi.waitFor(() => expect(said()).toContain(`Keying material: ${materialOf(got.keys, 'client')}`), 5000);
  });
});
