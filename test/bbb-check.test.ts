import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BbbStub } from './bbb-stub/src/index.js';
import { makeTestCertificate, type TestCertificate } from './support/certificate.js';
import { MAIN, type Outcome, runSluice } from './support/command.js';
import { freePort } from './support/free-port.js';
import { exited } from './support/publisher.js';
import { SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { startTurnServer, type TurnServer } from './support/turn-server.js';
import { until } from './support/until.js';

interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly found: string;
  readonly advice?: string;
}

const TURN_SECRET = `turn${SECRET_MARK}`;
const findingsOf = ({ stdout }: Outcome): Finding[] => (JSON.parse(stdout) as { findings: Finding[] }).findings;
const find = (outcome: Outcome, check: RegExp): Finding | undefined =>
  findingsOf(outcome).find((finding) => check.test(finding.check));

describe('sluice bbb check', () => {
  let directory: string;
  let certificate: TestCertificate;
  let stub: BbbStub;
  let door: Server;
  let doorPort: number;
  let coturn: TurnServer;
  let target: TestServer;
  let environment: Record<string, string>;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-bbb-check-'));
    certificate = await makeTestCertificate(directory);
    stub = await BbbStub.start({ skin: '3.0', secret: `api${SECRET_MARK}`, algorithms: ['sha256', 'sha512'] });
    // TLS in front, as nginx is.
    const tls = { cert: await readFile(certificate.certFile), key: await readFile(certificate.keyFile) };
    door = createServer(tls, (socket) => {
      const inner = connect(stub.port, '127.0.0.1');
      for (const [one, other] of [
        [socket, inner],
        [inner, socket],
      ] as const) {
        one.on('error', () => other.destroy());
        one.pipe(other);
      }
    });
    await new Promise<void>((done) => door.listen(0, done));
    doorPort = (door.address() as AddressInfo).port;
    const [plain, secure] = [await freePort(), await freePort()];
    coturn = await startTurnServer(
      [
        `listening-port=${plain}`,
        `tls-listening-port=${secure}`,
        `cert=${certificate.certFile}`,
        `pkey=${certificate.keyFile}`,
        'use-auth-secret',
        `static-auth-secret=${TURN_SECRET}`,
        'realm=example.org',
        'no-cli',
        'log-file=stdout',
      ].join('\n'),
    );
    target = await startServer();
    environment = {
      NODE_EXTRA_CA_CERTS: certificate.caFile,
      SLUICE_BBB_URL: `https://localhost:${doorPort}/bigbluebutton/api`,
      SLUICE_BBB_SECRET_FILE: await secretFile('api', `${stub.secret}\n`),
      SLUICE_BBB_TURN_SECRET_FILE: await secretFile('turn', TURN_SECRET),
      SLUICE_BBB_ICE_SERVERS: [
        `turn:127.0.0.1:${plain}?transport=udp`,
        `turn:localhost:${plain}?transport=tcp`,
        `turns:localhost:${secure}?transport=tcp`,
      ].join(','),
      SLUICE_BBB_TARGETS: new URL(target.rtmp).href.replace(/\/$/, ''),
    };
  });
  afterAll(async () => {
    await coturn?.stop();
    await target?.stop();
    await new Promise((done) => door.close(done));
    await stub.stop();
    await rm(directory, { recursive: true });
  });

  const secretFile = async (name: string, text: string, mode = 0o600): Promise<string> => {
    const file = join(directory, `${name}-${mode}`);
    await writeFile(file, text, { mode });
    return file;
  };
  const check = (more: Record<string, string> = {}, args: string[] = []) =>
    runSluice(['bbb', 'check', '--json', ...args], { ...environment, ...more });

  it('finds nothing wrong where all can be reached', async () => {
    const outcome = await check({}, ['--external-ip', '127.0.0.1']);
    const failed = findingsOf(outcome).filter(({ status }) => status === 'failed');
    expect([failed, outcome.code, outcome.stderr]).toEqual([[], 0, '']);
    for (const [name, found] of [
      [/^name localhost$/, /127\.0\.0\.1/],
      [new RegExp(`^localhost, tcp ${doorPort}$`), /takes connections/],
      [/^TLS of localhost/, /TLSv1\.3, for DNS:localhost.*valid for \d+ days/],
      [/^API, unsigned$/, /BigBlueButton/],
      [/^API, signed$/, /right; sha256, sha512 taken; 0 meetings/],
      [/^WebSocket \/bbb-webrtc-sfu/, /gets through/],
      [/^WebSocket \/graphql/, /gets through/],
      [/^WebSocket \/livekit/, /gets through/],
      [/^STUN 127\.0\.0\.1/, /sees this machine at 127\.0\.0\.1/],
      [/^turn:.*udp$/, /relays from 127/],
      [/^turn:.*tcp$/, /relays from 127/],
      [/^turns:.*tcp$/, /relays from 127/],
      [/^API at 127\.0\.0\.1 .*hairpin/, /answers/],
      [new RegExp(`^target ${environment.SLUICE_BBB_TARGETS}$`), /RTMP answers/],
    ] as const) {
      expect(find(outcome, name)).toMatchObject({ status: 'ok', found: expect.stringMatching(found) });
    }
    expect(find(outcome, /^media, udp/)).toMatchObject({
      status: 'warning',
      advice: expect.stringMatching(/--udp-listen/),
    });
    expect(outcome.stdout).not.toMatch(SECRET_MARK);
    const text = await runSluice(['bbb', 'check'], environment);
    expect(text.stdout).toMatch(/^✓ API, signed: .*\n[\s\S]*\n\d+ fine, \d+ to look at, 0 wrong\n$/m);
  });

  it('tells a wrong secret from a way of signing that is not taken', async () => {
    const wrong = await check({ SLUICE_BBB_SECRET_FILE: await secretFile('wrong', 'another') });
    expect([wrong.code, find(wrong, /^API, signed$/)]).toMatchObject([
      1,
      { status: 'failed', found: expect.stringMatching(/secret is wrong/), advice: expect.stringMatching(/bbb-conf/) },
    ]);
    const old = await check({ SLUICE_BBB_CHECKSUM: 'sha1' });
    expect(find(old, /^API, signed$/)).toMatchObject({
      status: 'failed',
      found: 'the secret is right, but sha1 is not taken there: sha256, sha512 is',
    });
    const open = await check({ SLUICE_BBB_SECRET_FILE: await secretFile('open', 'x', 0o644) });
    expect(find(open, /^API, signed$/)).toMatchObject({ status: 'failed', found: expect.stringMatching(/chmod 600/) });
    const turn = await check({ SLUICE_BBB_TURN_SECRET_FILE: await secretFile('wrong', 'another') });
    expect(find(turn, /^turns:/)).toMatchObject({ status: 'failed', found: expect.stringMatching(/^401.*refused/) });
  });

  it('names what is wrong with a certificate', async () => {
    const unknown = await check({ NODE_EXTRA_CA_CERTS: '' });
    expect([unknown.code, find(unknown, /^TLS of/)]).toMatchObject([
      1,
      {
        status: 'failed',
        found: expect.stringMatching(/refused: \w+/),
        advice: expect.stringMatching(/NODE_EXTRA_CA_CERTS/),
      },
    ]);
    const other = await check({ SLUICE_BBB_URL: `https://127.0.0.2:${doorPort}/bigbluebutton` });
    expect(find(other, /^TLS of/)).toMatchObject({
      status: 'failed',
      found: expect.stringMatching(/is for DNS:localhost/),
    });
  });

  it('says where nobody is, and that legacy ports are no matter', async () => {
    const port = await freePort();
    const gone = await check({
      SLUICE_BBB_URL: `http://127.0.0.1:${port}/bigbluebutton/api`,
      SLUICE_BBB_TARGETS: `rtmp://127.0.0.1:${port},rtmp://127.0.0.1:${stub.port}`,
      SLUICE_RTMP_PORT: String(port),
    });
    expect(gone.code).toBe(1);
    expect(find(gone, new RegExp(`^127.0.0.1, tcp ${port}$`))).toMatchObject({ status: 'failed' });
    expect(find(gone, /tcp 7443$/)?.status).not.toBe('failed');
    expect(find(gone, /^TLS$/)).toMatchObject({ status: 'warning', advice: expect.stringMatching(/https/) });
    expect(find(gone, /^API, unsigned$/)).toMatchObject({
      status: 'failed',
      found: expect.stringMatching(/ECONNREFUSED/),
    });
    const targets = findingsOf(gone).filter(({ check: name }) => name.startsWith('target'));
    // This server need not run yet; another's must. HTTP is no RTMP.
    expect(targets.map(({ status }) => status)).toEqual(['warning', 'failed', 'failed']);
    const nowhere = await check({ SLUICE_BBB_URL: 'https://no-such-host.invalid/bigbluebutton/api' });
    expect(find(nowhere, /^name no-such-host/)).toMatchObject({
      status: 'failed',
      advice: expect.stringMatching(/DNS/),
    });
  });

  it('tries UDP ports with somebody on the other side', async () => {
    const [port, other] = [String(await freePort()), String(await freePort())];
    const child = spawn(process.execPath, [MAIN, 'bbb', 'check', '--udp-listen', '--udp-port', port]);
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    try {
      await until('it listens', () => /Probes are sent back/.test(said));
      const outcome = await check({}, ['--udp-send', '127.0.0.1', '--udp-port', port, other]);
      expect(find(outcome, new RegExp(`^media, udp ${port}$`))).toMatchObject({ status: 'ok', found: 'got through' });
      expect(find(outcome, new RegExp(`^media, udp ${other}$`))).toMatchObject({
        status: 'failed',
        advice: expect.stringMatching(/--udp-listen/),
      });
      expect(said).toMatch(`udp ${port}: 1332 bytes arrived`);
    } finally {
      child.kill('SIGTERM');
      await exited(child);
    }
  });

  it.each([
    [['--udp-port', '80'], /--udp-port goes with/],
    [['--udp-listen', '--udp-port', 'http'], /--udp-port http is no port/],
    [['--udp-listen', '--udp-send', 'localhost'], /cannot be used with/],
    [['--external-ip', 'localhost'], /is no address/],
    [['--for', '1m'], /--for goes with --udp-listen/],
    [[], /bbb\.url \(SLUICE_BBB_URL\) is not set/],
  ])('says what is wrong about %j', async (args, message) => {
    const outcome = await runSluice(['bbb', 'check', ...args]);
    expect(outcome).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
  });
});

describe('sluice bbb firewall', () => {
  const SETTINGS = { SLUICE_BBB_URL: 'https://localhost/bigbluebutton/api', SLUICE_BBB_TARGETS: 'rtmp://192.0.2.7' };

  it('looks names up, and prints rules', async () => {
    const settings = { ...SETTINGS, SLUICE_BBB_TARGETS: 'rtmp://192.0.2.7,rtmp://no-such-host.invalid' };
    const args = ['bbb', 'firewall', '--dns', '192.0.2.53', '--media', '198.51.100.0/24', '--user', 'nobody'];
    const { stdout, stderr, code } = await runSluice(args, settings);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/no-such-host\.invalid has no address/)]);
    expect(stdout).toMatch(/^ {4}ip daddr 127\.0\.0\.1 udp dport 16384-32768 accept/m);
    expect(stdout).toMatch(/^ {4}ip daddr 192\.0\.2\.7 tcp dport 1935 accept/m);
    expect(stdout).toMatch(/^ {4}ip daddr 198\.51\.100\.0\/24 udp/m);
    expect(stdout).toMatch(/^ {4}ip daddr 192\.0\.2\.53 tcp dport 53 accept/m);
    expect(stdout).toMatch(/^ {4}meta skuid != "nobody" accept$/m);
  });

  it.each([
    [['--user', 'a b'], SETTINGS, /--user a b is no user/],
    [['--media', 'all'], SETTINGS, /--media all is no address/],
    [['--dns', 'x'], SETTINGS, /--dns x is no address/],
    [[], {}, /bbb\.url .* is not set/],
  ])('says what is wrong about %j', async (args, settings, message) => {
    const outcome = await runSluice(['bbb', 'firewall', ...args], settings);
    expect(outcome).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
  });
});
