import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { type AuditEntry, type AuditLog, silentLogger } from '@sluice/core';
import { millis } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuditFile } from './audit-file.js';
import { AuditWriter } from './audit-writer.js';
import { redactSecrets } from './redact.js';
import { syslogMessage } from './syslog-message.js';
import { syslogSink } from './syslog-sink.js';

const ENTRY: AuditEntry = {
  at: millis(Date.UTC(2026, 10, 21, 12, 0, 0, 5)),
  actor: 'user:anna',
  ip: '2001:db8::1',
  action: 'session.kick',
  target: 'a "quoted" \\ ]name\n',
  result: 'ok',
  detail: 'why ü',
};

/** Takes a message apart by the grammar of RFC 5424 §6. */
function parse(message: string) {
  const match = /^<(\d{1,3})>1 (\S+) (\S+) (\S+) (\d+) (\S+) \[(\S+)((?: \w+="(?:[^"\\\]]|\\["\\\]])*")*)\] (.*)$/.exec(
    message,
  );
  if (match === null) throw new Error(`no RFC 5424 message: ${message}`);
  const [, priority, time, host, app, , kind, id, parameters = '', text] = match;
  const fields = [...parameters.matchAll(/ (\w+)="((?:[^"\\\]]|\\["\\\]])*)"/g)];
  return {
    facility: Number(priority) >> 3,
    severity: Number(priority) & 7,
    time,
    host,
    app,
    kind,
    id,
    text,
    fields: Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value.replace(/\\(["\\\]])/g, '$1')])),
  };
}

/** What a receiver got, by octet counting. */
function unframe(bytes: Buffer): string[] {
  const messages: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(' ', at);
    const length = Number(bytes.subarray(at, space).toString());
    messages.push(bytes.subarray(space + 1, space + 1 + length).toString());
    at = space + 1 + length;
  }
  return messages;
}

class Receiver {
  readonly server: Server;
  bytes = Buffer.alloc(0);
  readonly sockets: Socket[] = [];

  constructor(server: Server, event = 'connection') {
    this.server = server;
    server.on(event, (socket: Socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes: Buffer) => {
        this.bytes = Buffer.concat([this.bytes, bytes]);
      });
    });
  }

  async listen(port = 0): Promise<number> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((done) => this.server.close(done));
  }
}

describe('audit', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-audit-'));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(directory, { recursive: true });
  });

  it('writes syslog messages by the grammar of RFC 5424, whatever is in them', () => {
    const { fields, ...head } = parse(syslogMessage(ENTRY, 'höst 1', 42));
    expect(head).toMatchObject({
      facility: 16,
      severity: 6,
      app: 'sluice',
      kind: 'audit',
      id: 'sluice@32473',
      host: 'hst1',
    });
    expect(head.time).toBe('2026-11-21T12:00:00.005Z');
    expect(fields).toEqual({
      actor: 'user:anna',
      ip: '2001:db8::1',
      action: 'session.kick',
      target: 'a "quoted" \\ ]name ',
      result: 'ok',
      detail: 'why ü',
    });
    const { ip, detail, ...least } = ENTRY;
    expect(parse(syslogMessage({ ...least, ip: undefined, result: 'refused' }, '', 1))).toMatchObject({
      severity: 4,
      host: '-',
    });
  });

  it('sends them over UDP', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const sink = syslogSink(`udp://127.0.0.1:${socket.address().port}`, silentLogger);
    sink.write(ENTRY);
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(parse(message.toString()).fields.action).toBe('session.kick');
    await sink.close();
    socket.close();
  });

  it('sends them over TCP, also those from while the receiver was away', async () => {
    const first = new Receiver(createServer());
    const port = await first.listen();
    const sink = syslogSink(`tcp://127.0.0.1:${port}`, silentLogger);
    sink.write(ENTRY);
    await vi.waitFor(() => expect(unframe(first.bytes)).toHaveLength(1));
    await first.close();
    const second = new Receiver(createServer());
    await second.listen(port);
    await vi.waitFor(() => {
      sink.write(ENTRY);
      expect(second.bytes.length).toBeGreaterThan(0);
    }, 5000);
    sink.write({ ...ENTRY, action: 'last' });
    await sink.close();
    await vi.waitFor(() => expect(parse(unframe(second.bytes).at(-1) ?? '').fields.action).toBe('last'));
    await second.close();
  });

  it('sends them over TLS to a receiver that it can trust, and to no other', async () => {
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2', '-nodes'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
    const receiver = new Receiver(
      createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }),
      'secureConnection',
    );
    const port = await receiver.listen();
    const warnings: string[] = [];
    const log = { ...silentLogger, warn: (_fields: object, message: string) => warnings.push(message) };
    const sink = syslogSink(`tls://localhost:${port}`, log);
    sink.write(ENTRY);
    await vi.waitFor(() => expect(warnings).toEqual(['the syslog receiver is away']));
    expect(receiver.bytes).toHaveLength(0);
    await sink.close();
    await receiver.close();
  });

  it('keeps a file of JSON lines for its owner, and opens a new one when it was rotated away', async () => {
    const path = join(directory, 'audit.jsonl');
    const file = new AuditFile(path, silentLogger);
    file.write(ENTRY);
    await vi.waitFor(() => expect(readFileSync(path, 'utf8')).toContain('session.kick'));
    renameSync(path, `${path}.1`);
    file.reopen();
    file.write({ ...ENTRY, action: 'after' });
    await file.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(`${path}.1`, 'utf8').split('\n')).toHaveLength(2);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      ...ENTRY,
      action: 'after',
      at: '2026-11-21T12:00:00.005Z',
    });
  });

  it('says once that a file cannot be written, and goes on', async () => {
    const errors: string[] = [];
    const log = { ...silentLogger, error: (_fields: object, message: string) => errors.push(message) };
    const file = new AuditFile(join(directory, 'none', 'audit.jsonl'), log);
    file.write(ENTRY);
    await vi.waitFor(() => expect(errors).toContain('the audit file cannot be written'));
    for (let n = 0; n < 10; n++) file.write(ENTRY);
    expect(errors).toHaveLength(2);
    await file.close();
  });

  it('goes to every sink and, a few at a time, to the store, without secrets', async () => {
    const stored: AuditEntry[][] = [];
    const seen: AuditEntry[] = [];
    const store: AuditLog = { append: async (entries) => void stored.push([...entries]), query: async () => [] };
    const sink = { write: (entry: AuditEntry) => seen.push(entry), close: async () => {} };
    const clock = { wall: () => millis(7), monotonic: () => millis(0) };
    const writer = new AuditWriter({ sinks: [sink], store, clock, log: silentLogger });
    writer.record({ ...ENTRY, target: 'rtmp://x/live/show?key=s3cret', detail: 'token=s3cret' });
    writer.record(ENTRY);
    await writer.close();
    expect(seen).toHaveLength(2);
    expect(stored).toEqual([seen]);
    expect(seen[0]).toMatchObject({ at: 7, target: 'rtmp://x/live/show?…', detail: 'token=…' });
  });

  it.each([
    ['GET /live/show.flv?token=abc HTTP/1.1', 'GET /live/show.flv?… HTTP/1.1'],
    ['password=abc&user=anna', 'password=…&user=…'],
    ['Authorization: Bearer abc.def', 'Authorization: Bearer …'],
    ['nothing to hide', 'nothing to hide'],
  ])('redacts %s', (text, clean) => {
    expect(redactSecrets(text)).toBe(clean);
  });
});
