import { type Finding, failed, ok, warning } from '@sluice/core';
import { WebSocket } from 'ws';

/** What became of a request to upgrade: an open socket, or an HTTP status, or neither. */
type Upgrade =
  | { readonly kind: 'open' }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'failed'; readonly detail: string };

const NOT_FOUND = 404;
const FORBIDDEN: ReadonlySet<number> = new Set([401, 403]);

interface Door {
  readonly path: string;
  readonly users: string;
  readonly protocols: readonly string[];
  /** Whether a server of this kind must have it. */
  readonly isNeeded: (isSince3: boolean) => boolean;
}

const DOORS: readonly Door[] = [
  { path: '/bbb-webrtc-sfu', users: 'sound and cameras', protocols: [], isNeeded: () => true },
  { path: '/graphql', users: 'BigBlueButton 3.0', protocols: ['graphql-transport-ws'], isNeeded: (since3) => since3 },
  { path: '/livekit', users: 'LiveKit', protocols: [], isNeeded: () => false },
];

/**
 * Whether WebSockets come through to BigBlueButton. Without a session they are refused, by the server that they reached:
 * a proxy that knows no WebSockets answers otherwise.
 *
 * @param server BigBlueButton's version, where it tells
 */
export async function webSocketFindings(
  origin: string,
  server: string | undefined,
  timeoutMs: number,
): Promise<Finding[]> {
  const isSince3 = Number.parseInt(server ?? '', 10) >= 3;
  return Promise.all(
    DOORS.map(async (door) => findingOf(door, await tryUpgrade(origin, door, timeoutMs), door.isNeeded(isSince3))),
  );
}

function findingOf({ path, users }: Door, upgrade: Upgrade, isNeeded: boolean): Finding {
  const check = `WebSocket ${path} (${users})`;
  if (upgrade.kind === 'open') return ok(check, 'gets through');
  if (upgrade.kind === 'failed') {
    return failed(check, upgrade.detail, 'Does a proxy or a firewall on the way end connections that stay open?');
  }
  const { status } = upgrade;
  if (FORBIDDEN.has(status)) return ok(check, `gets through: HTTP ${status}, it asks for a session`);
  if (status === NOT_FOUND && !isNeeded) return ok(check, 'not there: this server does without');
  if (status === NOT_FOUND) {
    return failed(check, 'not there (HTTP 404)', "Look at nginx's configuration there: `bbb-conf --check`.");
  }
  if (status >= 500) {
    const found = `HTTP ${status}: what serves it does not run`;
    const advice = 'See `bbb-conf --status` there.';
    return isNeeded ? failed(check, found, advice) : warning(check, found, advice);
  }
  const advice = 'Let the proxy on the way pass Upgrade and Connection on (nginx: proxy_http_version 1.1).';
  return failed(check, `HTTP ${status} instead of an upgrade`, advice);
}

async function tryUpgrade(origin: string, { path, protocols }: Door, timeoutMs: number): Promise<Upgrade> {
  const url = `${origin.replace(/^http/, 'ws')}${path}`;
  const socket = new WebSocket(url, [...protocols], { handshakeTimeout: timeoutMs, followRedirects: false });
  const upgrade = await new Promise<Upgrade>((done) => {
    socket.once('open', () => done({ kind: 'open' }));
    socket.once('unexpected-response', (request, { statusCode = 0 }) => {
      request.destroy();
      done({ kind: 'status', status: statusCode });
    });
    socket.on('error', (error) => done({ kind: 'failed', detail: error.message }));
  });
  socket.terminate();
  return upgrade;
}
