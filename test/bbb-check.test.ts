import { spawn, spawnSync } from 'node:child_process';
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

/** A network of one's own, where rules of a firewall can be tried: not everywhere allowed. */
const hasNamespaces = spawnSync('unshare', ['-rn', 'true']).status === 0;

/** Two machines and a wire: the rules and who asks are here, who listens is there. */
const BETWEEN_TWO_MACHINES = `
  ip link set lo up; ip link add near0 type veth peer name far0
  unshare -n sleep 60 & there=$!
  while [ "$(readlink /proc/$there/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
  ip link set far0 netns $there
  ip addr add 10.9.0.1/24 dev near0; ip link set near0 up
  nsenter -t $there -n sh -c "ip addr add 10.9.0.2/24 dev far0; ip addr add 10.9.0.3/24 dev far0; ip link set far0 up; ip link set lo up"
  nft -f $RULES
  nsenter -t $there -n $SLUICE bbb check --udp-listen --udp-port 16384 20000 32768 4000 >$OUT 2>&1 & echo=$!
  nsenter -t $there -n $SLUICE doctor --listen --port 443 >$OUT.tcp 2>&1 & other=$!
  while [ ! -s $OUT ] || [ ! -s $OUT.tcp ]; do :; done
  eval "$ASK"
  kill $echo $other $there
`;

describe('sluice bbb firewall', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-bbb-firewall-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const SETTINGS = {
    SLUICE_BBB_URL: 'https://10.9.0.2/bigbluebutton/api',
    SLUICE_BBB_ICE_SERVERS: 'turns:10.9.0.2:5349?transport=tcp,stun:[2001:db8::1]:3478',
    SLUICE_BBB_TARGETS: 'rtmps://192.0.2.7:443',
  };
  const rulesWith = async (args: string[], settings: Record<string, string> = SETTINGS): Promise<string> => {
    const { code, stdout, stderr } = await runSluice(['bbb', 'firewall', '--dns', '192.0.2.53', ...args], settings);
    expect([code, stderr]).toEqual([0, '']);
    return stdout;
  };

  it('lets BigBlueButton, TURN, the target and DNS be reached, and nothing else', async () => {
    const accepted = (await rulesWith(['--media', '198.51.100.0/24']))
      .split('\n')
      .flatMap((line) => /(ip6? daddr .*) accept/.exec(line)?.[1] ?? []);
    expect(accepted).toEqual([
      'ip daddr 10.9.0.2 tcp dport 443',
      'ip daddr 10.9.0.2 tcp dport 80',
      'ip daddr 10.9.0.2 udp dport 16384-32768',
      'ip daddr 10.9.0.2 tcp dport 5349',
      'ip6 daddr 2001:db8::1 udp dport 3478',
      'ip daddr 192.0.2.7 tcp dport 443',
      'ip daddr 198.51.100.0/24 udp dport 16384-32768',
      'ip daddr 192.0.2.53 udp dport 53',
      'ip daddr 192.0.2.53 tcp dport 53',
    ]);
  });

  it.skipIf(!hasNamespaces)('writes what nft takes, twice too', async () => {
    for (const args of [[], ['--user', 'nobody'], ['--user', '1234'], ['--media', 'fd00::/8']]) {
      const file = join(directory, 'rules');
      await writeFile(file, await rulesWith(args));
      const script = `nft -c -f ${file}; nft -f ${file}; nft -f ${file}; test $(nft list ruleset | grep -c "dport 5349") = 1`;
      const { status, stderr } = spawnSync('unshare', ['-rn', 'sh', '-ec', script], { encoding: 'utf8' });
      expect(status, stderr).toBe(0);
    }
  });

  it.skipIf(!hasNamespaces)('keeps packets from where they should not go', async () => {
    const [RULES, OUT] = [join(directory, 'packets'), join(directory, 'out')];
    await writeFile(RULES, await rulesWith([]));
    const SLUICE = `${process.execPath} ${MAIN}`;
    const ask = (host: string, port: number) => `${SLUICE} doctor --probe ${host} --port ${port}`;
    const ASK = [
      ask('10.9.0.2', 16384),
      ask('10.9.0.2', 32768),
      ask('10.9.0.2', 4000),
      ask('10.9.0.2', 443),
      ask('10.9.0.3', 20000),
    ].join('; ');
    const { stdout, stderr } = spawnSync('unshare', ['-rn', 'sh', '-c', BETWEEN_TWO_MACHINES], {
      encoding: 'utf8',
      timeout: 55_000,
      env: { ...process.env, RULES, OUT, SLUICE, ASK },
    });
    const lines = stdout.split('\n').filter((line) => /^[✓✗]/.test(line));
    const through = lines.filter((line) => line.startsWith('✓')).map((line) => /, (\w+ \d+):/.exec(line)?.[1]);
    expect(through, `${stdout}\n${stderr}`).toEqual(['udp 16384', 'udp 32768', 'tcp 443']);
    expect(lines).toHaveLength(10);
  });

  it.each([
    [['--user', 'a b'], /--user a b is no user/],
    [['--media', 'all'], /--media all is no address/],
    [['--dns', 'x'], /--dns x is no address/],
  ])('says what is wrong about %j', async (args, message) => {
    const outcome = await runSluice(['bbb', 'firewall', ...args], SETTINGS);
    expect(outcome).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect((await runSluice(['bbb', 'firewall'])).stderr).toMatch(/bbb\.url .* is not set/);
  });

  it('leaves out what has no address, and says so', async () => {
    const settings = { ...SETTINGS, SLUICE_BBB_TARGETS: 'rtmp://no-such-host.invalid' };
    const { stdout, stderr, code } = await runSluice(['bbb', 'firewall'], settings);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/no-such-host\.invalid has no address/)]);
    expect(stdout).toMatch(/^# no-such-host\.invalid has no address now/m);
  });
});
