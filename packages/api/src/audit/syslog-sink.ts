import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect as connectTcp, isIPv6, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';
import type { AuditEntry, Logger } from '@sluice/core';
import type { AuditSink } from './audit-writer.js';
import { syslogMessage } from './syslog-message.js';

const DEFAULT_PORT = { 'udp:': 514, 'tcp:': 601, 'tls:': 6514 } as const;
/** What waits while the receiver is away; the oldest make room. */
const MAX_WAITING = 10_000;
const RETRY_MS = [1000, 2000, 5000, 10_000, 30_000] as const;
const LINGER_MS = 1000;

/** @param url `udp://host:514`, `tcp://host:601` or `tls://host:6514` */
export function syslogSink(url: string, log: Logger): AuditSink {
  const { protocol, hostname: host, port } = new URL(url);
  const kind = protocol as keyof typeof DEFAULT_PORT;
  // URLs write IPv6 addresses in brackets.
  const receiver = { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port || DEFAULT_PORT[kind]) };
  return kind === 'udp:' ? new UdpSyslog(receiver, log) : new StreamSyslog(receiver, kind === 'tls:', log);
}

interface Receiver {
  readonly host: string;
  readonly port: number;
}

const render = (entry: AuditEntry): Buffer => Buffer.from(syslogMessage(entry, hostname(), process.pid));

/** Syslog over UDP, RFC 5426: one message a datagram, and no word about those that get lost. */
class UdpSyslog implements AuditSink {
  readonly #socket: UdpSocket;
  readonly #receiver: Receiver;

  constructor(receiver: Receiver, log: Logger) {
    this.#receiver = receiver;
    this.#socket = createSocket(isIPv6(receiver.host) ? 'udp6' : 'udp4');
    this.#socket.on('error', (error) => log.warn({ detail: error.message }, 'syslog over UDP failed'));
    this.#socket.unref();
  }

  write(entry: AuditEntry): void {
    this.#socket.send(render(entry), this.#receiver.port, this.#receiver.host, () => undefined);
  }

  close(): Promise<void> {
    return new Promise((done) => this.#socket.close(() => done()));
  }
}

/** Syslog over TCP or TLS with octet counting, RFC 6587 §3.4.1 and RFC 5425 §4.3. Connects again when it is cut. */
class StreamSyslog implements AuditSink {
  readonly #receiver: Receiver;
  readonly #isTls: boolean;
  readonly #log: Logger;
  readonly #waiting: Buffer[] = [];
  #socket: Socket | undefined;
  #isConnected = false;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  #lost = 0;
  #isClosed = false;

  constructor(receiver: Receiver, isTls: boolean, log: Logger) {
    this.#receiver = receiver;
    this.#isTls = isTls;
    this.#log = log;
    this.#connect();
  }

  write(entry: AuditEntry): void {
    const message = render(entry);
    const framed = Buffer.concat([Buffer.from(`${message.length} `), message]);
    if (this.#isConnected && this.#socket?.writableNeedDrain === false) {
      this.#socket.write(framed);
      return;
    }
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting.shift();
      this.#lost += 1;
      if (this.#lost === 1)
        this.#log.warn({}, 'the syslog receiver is away for too long: the oldest entries are lost to it');
    }
    this.#waiting.push(framed);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    const socket = this.#socket;
    if (socket === undefined || !this.#isConnected) {
      socket?.destroy();
      return;
    }
    await new Promise<void>((done) => {
      const cut = setTimeout(() => socket.destroy(), LINGER_MS);
      socket.once('close', () => {
        clearTimeout(cut);
        done();
      });
      socket.end();
    });
  }

  #connect(): void {
    const { host, port } = this.#receiver;
    const socket = this.#isTls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
    this.#socket = socket;
    socket.unref();
    socket.once(this.#isTls ? 'secureConnect' : 'connect', () => {
      this.#isConnected = true;
      if (this.#failures > 0) this.#log.info({ host, port }, 'the syslog receiver is back');
      this.#failures = 0;
      this.#lost = 0;
      this.#drain();
    });
    socket.on('drain', () => this.#drain());
    // A receiver has nothing to say, but an end of file is noticed only by who reads.
    socket.resume();
    socket.on('error', (error) => {
      if (this.#failures === 0) this.#log.warn({ host, port, detail: error.message }, 'the syslog receiver is away');
    });
    socket.once('close', () => this.#lostConnection());
  }

  #drain(): void {
    const socket = this.#socket;
    while (this.#isConnected && socket?.writableNeedDrain === false) {
      const message = this.#waiting.shift();
      if (message === undefined) return;
      socket.write(message);
    }
  }

  #lostConnection(): void {
    this.#isConnected = false;
    if (this.#isClosed) return;
    const delay = RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)];
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#connect(), delay);
    this.#retry.unref();
  }
}
