import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryTurnServer, turnCredentials } from '@sluice/webrtc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTestCertificate, type TestCertificate } from './support/certificate.js';
import { runSluice } from './support/command.js';
import { freePort } from './support/free-port.js';
import { SECRET_MARK } from './support/server.js';
import { startTurnServer, type TurnServer } from './support/turn-server.js';

const SECRET = `# a secret="of TURN" ${SECRET_MARK}`;
/** Of Sluice, in a private network; and its neighbour there. */
const [OWN, NEIGHBOUR] = ['10.20.30.40', '10.20.30.41'];
const PUBLIC = '8.8.8.8';

const expiresAt = () => Date.now() / 1000 + 600;
const credentials = (secret = SECRET, expiry = expiresAt()) =>
  turnCredentials({ secret, id: 'test', expiresAt: expiry });

describe('sluice turn-config', () => {
  let directory: string;
  let certificate: TestCertificate;
  let ports: Record<'plain' | 'other' | 'tls', number>;
  let coturn: TurnServer;
  let conf: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-turn-config-'));
    certificate = await makeTestCertificate(directory);
    ports = { plain: await freePort(), other: await freePort(), tls: await freePort() };
    const urls = [
      'stun:stun.example.org:3478',
      `turn:localhost:${ports.plain}?transport=udp`,
      `turn:localhost:${ports.plain}?transport=tcp`,
      `turn:localhost:${ports.other}?transport=tcp`,
      `turns:localhost:${ports.tls}?transport=tcp`,
    ];
    const { code, stdout, stderr } = await runSluice(['turn-config'], {
      SLUICE_WEBRTC_TURN_SECRET: SECRET,
      SLUICE_WEBRTC_TURN_REALM: 'turn.example.org',
      SLUICE_WEBRTC_ICE_SERVERS: urls.join(','),
      SLUICE_WEBRTC_ANNOUNCE: OWN,
      SLUICE_TLS_CERT_FILE: certificate.certFile,
      SLUICE_TLS_KEY_FILE: certificate.keyFile,
    });
    expect([code, stderr]).toEqual([0, '']);
    conf = stdout;
    coturn = await startTurnServer(conf);
  });
  afterAll(async () => {
    await coturn?.stop();
    await rm(directory, { recursive: true });
  });

  const attempt = (port: number, transport: 'udp' | 'tcp', own = credentials()) =>
    tryTurnServer({
      server: { host: '127.0.0.1', port, transport, isSecure: false },
      credentials: own,
      peers: [OWN, NEIGHBOUR, '127.0.0.1', PUBLIC],
      timeoutMs: 3000,
    });

  it.each([
    ['plain', 'udp'],
    ['plain', 'tcp'],
    ['other', 'udp'],
    ['other', 'tcp'],
    ['tls', 'tcp'],
  ] as const)('makes a coturn relay on its %s port over %s, to Sluice and not to its neighbours', async (port, by) => {
    expect(await attempt(ports[port], by)).toMatchObject({
      kind: 'works',
      isGuarded: true,
      relayed: { address: '127.0.0.1' },
      peers: [
        { address: OWN, refusal: undefined },
        { address: NEIGHBOUR, refusal: expect.stringMatching(/^403/) },
        { address: '127.0.0.1', refusal: expect.stringMatching(/^403/) },
        { address: PUBLIC, refusal: undefined },
      ],
    });
  });

  it('makes a coturn refuse credentials that are wrong or have ended', async () => {
    const refused = { kind: 'refused', code: 401, reason: expect.any(String) };
    expect(await attempt(ports.plain, 'udp', credentials('another secret'))).toEqual(refused);
    expect(await attempt(ports.plain, 'tcp', credentials(SECRET, Date.now() / 1000 - 1))).toEqual(refused);
  });

  it('makes a coturn relay to nobody but Sluice, where its stricter lines are taken in', async () => {
    const port = await freePort();
    const own = conf.replace(/^(?:aux-server|tls-listening-port)=.*\n/gm, '').replace(`=${ports.plain}`, `=${port}`);
    const strict = await startTurnServer(own.replace(/^#(?=denied-peer-ip)/gm, ''));
    const outcome = await attempt(port, 'udp');
    await strict.stop();
    const peers = outcome.kind === 'works' ? outcome.peers : [];
    expect(peers.filter(({ refusal }) => refusal === undefined)).toMatchObject([{ address: OWN }]);
    expect(peers).toHaveLength(4);
  });

  it('makes a coturn that understands each of its options', () => {
    expect(coturn.log()).not.toMatch(/unrecognized|unknown|invalid|bad config|WARNING.*(option|cert)/i);
    expect(conf).toMatch(/^no-tlsv1$/m);
    expect(conf).toMatch(/^no-tlsv1_1$/m);
  });
});

describe('sluice turn-config, where something is missing,', () => {
  const COMPLETE = { SLUICE_WEBRTC_TURN_SECRET: 'x'.repeat(32), SLUICE_WEBRTC_TURN_REALM: 'example.org' };

  it('names the settings, with exit code 2', async () => {
    const none = await runSluice(['turn-config']);
    expect([none.code, none.stdout]).toEqual([2, '']);
    expect(none.stderr).toMatch(/SLUICE_WEBRTC_TURN_SECRET.*SLUICE_WEBRTC_TURN_REALM/);
    const noRealm = await runSluice(['turn-config'], { SLUICE_WEBRTC_TURN_SECRET: 'x'.repeat(32) });
    expect(noRealm.stderr).toMatch(/^sluice: a TURN server needs what is not set: webrtc\.turn\.realm/);
    const line = await runSluice(['turn-config'], { ...COMPLETE, SLUICE_WEBRTC_TURN_REALM: 'a\nno-auth' });
    expect([line.code, line.stdout]).toEqual([2, '']);
    expect(line.stderr).toMatch(/webrtc\.turn\.realm can't be written/);
  });

  it('prints what there can be, and says what to do about the rest', async () => {
    const plain = await runSluice(['turn-config'], COMPLETE);
    expect(plain.code).toBe(0);
    expect(plain.stderr).toMatch(/SLUICE_WEBRTC_ICE_SERVERS=turn:example\.org:3478\?transport=udp/);
    expect(plain.stdout).toMatch(/^no-tls$/m);
    const bare = await runSluice(['turn-config'], {
      ...COMPLETE,
      SLUICE_WEBRTC_ICE_SERVERS: 'turns:example.org:443?transport=tcp',
      SLUICE_HTTP_PORT: '443',
    });
    expect(bare.stderr).toMatch(/there is no certificate for it: set tls\.certFile/);
    expect(bare.stderr).toMatch(/port 443 is http\.port of Sluice, too/);
    expect(bare.stdout).toMatch(/CAP_NET_BIND_SERVICE/);
  });
});
