import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { makeTestCertificate, type TestCertificate } from './support/certificate.js';
import { MAIN, type Outcome, runSluice } from './support/command.js';
import { freePort } from './support/free-port.js';
import { exited } from './support/publisher.js';
import { SECRET_MARK, startServer } from './support/server.js';
import { startTurnServer, type TurnServer } from './support/turn-server.js';
import { until } from './support/until.js';

interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly found: string;
  readonly advice?: string;
}

const findingsOf = ({ stdout }: Outcome): Finding[] => (JSON.parse(stdout) as { findings: Finding[] }).findings;
const find = (outcome: Outcome, check: RegExp): Finding | undefined =>
  findingsOf(outcome).find((finding) => check.test(finding.check));

/** Ports of which each is free. */
async function freePorts(): Promise<Record<string, string>> {
  const doors = ['RTMP', 'RTMPS', 'HTTP', 'HTTPS', 'SRT', 'WEBRTC', 'API'];
  const ports = await Promise.all(doors.map(freePort));
  return Object.fromEntries(doors.map((door, at) => [`SLUICE_${door}_PORT`, String(ports[at])]));
}

/** A command that goes on until it is ended, and what it said. */
function startSluice(args: readonly string[], environment: Record<string, string> = {}) {
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited(child);
  };
  return { output: () => output, stop };
}

describe('sluice doctor', () => {
  let directory: string;
  let environment: Record<string, string>;
  const closers: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-doctor-'));
  });
  beforeEach(async () => {
    environment = { ...(await freePorts()), SLUICE_DATA_DIR: join(directory, 'data'), SLUICE_SHUTDOWN_SECONDS: '1' };
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  afterAll(() => rm(directory, { recursive: true }));

  const doctor = (more: Record<string, string> = {}, args: string[] = ['--json']) =>
    runSluice(['doctor', ...args], { ...environment, ...more });

  it('finds nothing wrong with a machine on which all is free, for people and for machines', async () => {
    const text = await doctor({}, []);
    expect(text.code, text.stdout).toBe(0);
    expect(text.stdout).toMatch(/^✓ RTMP, tcp \d+: free$/m);
    expect(text.stdout).toMatch(/^✓ datagrams to SRT, udp \d+, in this machine: arrive$/m);
    expect(text.stdout).toMatch(/\n\d+ fine, \d+ to look at, 0 wrong\n$/);
    const machine = await doctor();
    expect(JSON.parse(machine.stdout)).toMatchObject({ ok: true });
    expect(find(machine, /^ffmpeg$/)).toMatchObject({ status: 'ok' });
  });

  it('names a port that another program has, with exit code 1', async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(Number(environment.SLUICE_HTTP_PORT), '127.0.0.1', done));
    closers.push(() => new Promise((done) => taken.close(done)));
    const outcome = await doctor({ SLUICE_HTTP_HOST: '127.0.0.1', SLUICE_RTMP_HOST: '192.0.2.77' });
    expect(outcome.code).toBe(1);
    expect(find(outcome, /^HTTP,/)).toMatchObject({
      status: 'failed',
      found: expect.stringMatching(`taken by another program.*process ${process.pid}`),
      advice: expect.stringMatching(/SLUICE_HTTP_PORT=/),
    });
    expect(find(outcome, /^RTMP,/)).toMatchObject({
      status: 'failed',
      found: 'rtmp.host 192.0.2.77 is no address of this machine',
    });
    const twins = await doctor({ SLUICE_HTTP_PORT: environment.SLUICE_RTMP_PORT ?? '' });
    expect(find(twins, /^HTTP,/)).toMatchObject({ status: 'failed', found: 'rtmp.port is the same port' });
  });

  it('knows a Sluice that runs, and asks its SRT port', async () => {
    const server = startSluice(['serve'], environment);
    closers.push(server.stop);
    await until('it runs', () => /Start page/.test(server.output()));
    const outcome = await doctor();
    expect(outcome.code, outcome.stdout).toBe(0);
    for (const door of [/^RTMP,/, /^HTTP,/, /^SRT,/, /^WebRTC, udp/, /^control API,/]) {
      expect(find(outcome, door)).toMatchObject({ status: 'ok', found: expect.stringMatching(/a Sluice is running/) });
    }
    expect(find(outcome, /^datagrams to SRT/)).toMatchObject({ status: 'ok', found: 'arrive' });
    expect(find(outcome, /^open files of the Sluice that runs/)).toBeDefined();
  });

  it('looks at the machine for who asks the API, once for all who ask at a time', async () => {
    const ports = await freePorts();
    const server = await startServer('', ports);
    closers.push(() => server.stop());
    type Report = { at: string; ok: boolean; findings: { check: string; found: string; advice: string | null }[] };
    const ask = (headers?: Record<string, string>) => api<Report>(server, 'GET', '/api/v2/doctor', undefined, headers);
    expect((await ask({})).status).toBe(401);
    const [one, two] = await Promise.all([ask(), ask()]);
    expect(one.body).toEqual(two.body);
    const rtmp = one.body.findings.find(({ check }) => check === `RTMP, tcp ${ports.SLUICE_RTMP_PORT}`);
    expect(rtmp?.found).toMatch(/a Sluice is running there/);
    expect(one.body.findings.find(({ check }) => check.startsWith('datagrams to SRT'))).toMatchObject({
      found: 'arrive',
      advice: null,
    });
  });

  it('says which ports get through to a machine where doctor --listen runs, and which do not', async () => {
    const [port, other] = [String(await freePort()), String(await freePort())];
    const listener = startSluice(['doctor', '--listen', '--port', port]);
    closers.push(listener.stop);
    await until('it listens', () => /Probes are sent back/.test(listener.output()));
    const through = await runSluice(['doctor', '--probe', 'localhost', '--port', port, '--json']);
    expect(findingsOf(through)).toEqual([
      { check: `port, udp ${port}`, status: 'ok', found: 'got through' },
      { check: `port, tcp ${port}`, status: 'ok', found: 'got through' },
    ]);
    expect(through.code).toBe(0);
    expect(listener.output()).toMatch(new RegExp(`^udp ${port}: 1332 bytes arrived from (127\\.0\\.0\\.1|::1)$`, 'm'));
    const nobody = await runSluice(['doctor', '--probe', '127.0.0.1', '--port', other]);
    expect(nobody.code).toBe(1);
    expect(nobody.stdout).toMatch(`✗ port, udp ${other}: arrives, and nobody listens there`);
    expect(nobody.stdout).toMatch(`✗ port, tcp ${other}: refused`);
    const again = await runSluice(['doctor', '--listen', '--port', port]);
    expect([again.code, again.stderr]).toEqual([2, expect.stringMatching(/is taken; is Sluice running/)]);
  });

  it('ends by itself when it was told for how long', async () => {
    const outcome = await runSluice(['doctor', '--listen', '--for', '1s', '--json'], environment);
    expect(outcome.code).toBe(0);
    const ports = ['RTMP', 'HTTP', 'SRT', 'WEBRTC'].map((door) => Number(environment[`SLUICE_${door}_PORT`]));
    const event = JSON.parse(outcome.stdout) as { event: string; ports: { port: number }[] };
    expect(new Set(event.ports.map(({ port }) => port))).toEqual(new Set(ports));
  });

  it.each([
    [['--port', '80'], /--port goes with/],
    [['--listen', '--port', 'http'], /--port http is no port/],
    [['--listen', '--probe', 'localhost'], /cannot be used with/],
    [['--probe', 'no-such-host.invalid'], /the name is not found/],
    [['--for', '1m'], /--for goes with --listen/],
  ])('says what is wrong about %j', async (args, message) => {
    const outcome = await runSluice(['doctor', ...args]);
    expect(outcome).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
  });
});

const OWN = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

describe.skipIf(OWN === undefined)('sluice doctor and a TURN server', () => {
  const SECRET = `a secret of TURN ${SECRET_MARK}`;
  let directory: string;
  let certificate: TestCertificate;
  let environment: Record<string, string>;
  let coturn: TurnServer;
  let ports: { readonly plain: number; readonly tls: number };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-doctor-turn-'));
    certificate = await makeTestCertificate(directory);
    ports = { plain: await freePort(), tls: await freePort() };
    environment = {
      ...(await freePorts()),
      SLUICE_DATA_DIR: join(directory, 'data'),
      SLUICE_WEBRTC_TURN_SECRET: SECRET,
      SLUICE_WEBRTC_TURN_REALM: 'example.org',
      SLUICE_WEBRTC_ANNOUNCE: OWN ?? '',
      SLUICE_WEBRTC_ICE_SERVERS: [
        `stun:127.0.0.1:${ports.plain}`,
        `turn:127.0.0.1:${ports.plain}?transport=udp`,
        `turn:localhost:${ports.plain}?transport=tcp`,
        `turns:localhost:${ports.tls}?transport=tcp`,
      ].join(','),
      SLUICE_TLS_CERT_FILE: certificate.certFile,
      SLUICE_TLS_KEY_FILE: certificate.keyFile,
      NODE_EXTRA_CA_CERTS: certificate.caFile,
    };
    const { stdout } = await runSluice(['turn-config'], environment);
    coturn = await startTurnServer(stdout);
  });
  afterAll(async () => {
    await coturn?.stop();
    await rm(directory, { recursive: true });
  });

  const doctor = (more: Record<string, string> = {}) => runSluice(['doctor', '--json'], { ...environment, ...more });

  it('finds that it relays, over UDP, TCP and TLS, and where STUN sees this machine', async () => {
    const outcome = await doctor();
    for (const url of [/^turn:.*udp$/, /^turn:.*tcp$/, /^turns:.*tcp$/]) {
      expect(find(outcome, url)).toMatchObject({ status: 'ok', found: 'relays from 127.0.0.1' });
    }
    expect(findingsOf(outcome).filter(({ check }) => check.includes(`to Sluice at ${OWN}`))).toHaveLength(3);
    expect(find(outcome, /^stun:/)?.found).toMatch(/^sees this machine at 127\.0\.0\.1/);
    expect(find(outcome, /^TLS certificate, chain/)).toMatchObject({ status: 'ok' });
    expect(find(outcome, /^TLS certificate, names/)?.found).toMatch(/DNS:localhost/);
    expect(outcome.code, outcome.stdout).toBe(0);
    expect(outcome.stdout + outcome.stderr).not.toContain(SECRET_MARK);
  });

  it('finds a secret that differs, a relay that is refused, a certificate that nobody knows, a server that is not there', async () => {
    const wrong = await doctor({ SLUICE_WEBRTC_TURN_SECRET: `another ${SECRET_MARK}` });
    expect(wrong.code).toBe(1);
    expect(find(wrong, /^turn:.*udp$/)).toMatchObject({
      status: 'failed',
      found: expect.stringMatching(/^401 .*refused$/),
      advice: expect.stringMatching(/static-auth-secret.*clocks/),
    });

    const elsewhere = await doctor({ SLUICE_WEBRTC_ANNOUNCE: '10.99.99.99' });
    expect(find(elsewhere, /^turn:.*udp, to Sluice/)).toMatchObject({
      status: 'failed',
      found: expect.stringMatching(/^refused: 403/),
      advice: expect.stringMatching(/allowed-peer-ip=10\.99\.99\.99/),
    });

    const unknown = await doctor({ NODE_EXTRA_CA_CERTS: '' });
    expect(find(unknown, /^turns:/)).toMatchObject({
      status: 'failed',
      advice: expect.stringMatching(/Browsers refuse its certificate/),
    });
    expect(find(unknown, /^TLS certificate, chain/)).toMatchObject({ status: 'warning' });

    const nobody = await freePort();
    const urls = `turn:127.0.0.1:${nobody}?transport=tcp,turn:127.0.0.1:${nobody},turn:no-such-host.invalid`;
    const none = await doctor({ SLUICE_WEBRTC_ICE_SERVERS: urls });
    expect(find(none, /^turn:.*tcp$/)).toMatchObject({
      status: 'failed',
      found: expect.stringMatching(/ECONNREFUSED/),
    });
    expect(find(none, /^turn:127.*\d$/)).toMatchObject({ status: 'failed' });
    expect(find(none, /invalid$/)).toMatchObject({ status: 'failed', found: expect.stringMatching(/is not found/) });

    const noSecret = { ...environment };
    delete noSecret.SLUICE_WEBRTC_TURN_SECRET;
    const unset = await runSluice(['doctor', '--json'], noSecret);
    expect(find(unset, /^TURN$/)).toMatchObject({ status: 'failed', found: expect.stringMatching(/is not set/) });
  });

  it('finds a TURN server that relays for anybody', async () => {
    const port = await freePort();
    const open = await startTurnServer(`listening-port=${port}\nno-auth\nno-tls\nno-dtls\nno-cli\nlog-file=stdout`);
    const outcome = await doctor({ SLUICE_WEBRTC_ICE_SERVERS: `turn:127.0.0.1:${port}` });
    await open.stop();
    expect(find(outcome, /credentials$/)).toMatchObject({
      status: 'failed',
      found: 'it relays for anybody, without any',
    });
    expect(outcome.code).toBe(1);
  });
});
