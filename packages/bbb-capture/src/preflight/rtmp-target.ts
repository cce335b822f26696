import { randomBytes } from 'node:crypto';
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Finding, failed, messageOf, ok, warning } from '@sluice/core';
import { RtmpClientSession } from '@sluice/rtmp';
import { drop } from './tcp-line.js';

/** Where RTMP is published to. */
export interface PreflightTarget {
  /** `rtmp://host:port`, without stream and key. */
  readonly origin: string;
  /** Whether it is this server, which need not run yet. */
  readonly isOwn: boolean;
}

const USUAL_PORT: Readonly<Record<string, number>> = { 'rtmp:': 1935, 'rtmps:': 443 };

/** Whether an RTMP server answers at each target: by a handshake, after which the connection is dropped. */
export async function targetFindings(targets: readonly PreflightTarget[], timeoutMs: number): Promise<Finding[]> {
  return Promise.all(
    targets.map(async ({ origin, isOwn }): Promise<Finding> => {
      const url = URL.canParse(origin) ? new URL(origin) : undefined;
      const port = url === undefined ? undefined : url.port === '' ? USUAL_PORT[url.protocol] : Number(url.port);
      const check = `target ${url === undefined ? '' : `${url.protocol}//${url.host}`}`.trim();
      if (url === undefined || port === undefined) {
        return failed(check, 'is no RTMP origin', 'Write bbb.targets as in rtmps://live.example.org:443.');
      }
      const host = url.hostname.replace(/^\[|\]$/g, '');
      try {
        const ms = await handshake({ host, port, isSecure: url.protocol === 'rtmps:' }, timeoutMs);
        return ok(check, `RTMP answers (${ms} ms)`);
      } catch (error) {
        if (isOwn) return warning(check, messageOf(error), 'Start Sluice here: captures are published to it.');
        return failed(check, messageOf(error), `Let tcp ${port} out here. Is it RTMP, or RTMPS, that listens there?`);
      }
    }),
  );
}

/** @returns how long it took, in milliseconds. @throws where it does not come about */
async function handshake(
  { host, port, isSecure }: { host: string; port: number; isSecure: boolean },
  timeoutMs: number,
): Promise<number> {
  const begin = performance.now();
  // The address is asked for no stream: the handshake comes before its name is sent.
  const session = new RtmpClientSession({ app: '', stream: '', tcUrl: '' }, randomBytes);
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = isSecure ? connectTls({ host, port, ...servername }) : connect({ host, port });
  try {
    await new Promise<void>((done, fail) => {
      socket.setTimeout(timeoutMs, () => fail(new Error(`no RTMP handshake within ${timeoutMs} ms`)));
      socket.once('error', fail);
      socket.once('close', () => fail(new Error('the connection was closed during the RTMP handshake')));
      socket.on('data', (bytes: Buffer) => {
        try {
          // What the client would say next, it says once the server's part of the handshake is whole.
          if (session.receive(bytes).outbound.length > 0) done();
        } catch (error) {
          fail(error instanceof Error ? error : new Error(String(error)));
        }
      });
      socket.write(session.start());
    });
    return Math.round(performance.now() - begin);
  } finally {
    drop(socket);
  }
}
