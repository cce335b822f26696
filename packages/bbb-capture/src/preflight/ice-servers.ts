import { type Finding, failed, type IceUrl, messageOf, ok, parseIceUrl, warning } from '@sluice/core';
import { askStunServer, type TurnTrial, tryTurnServer, turnCredentials, WebRtcError } from '@sluice/webrtc';
import { SecretFileError } from '../api/secret-file.js';

/** As long as BigBlueButton's own credentials hold. */
const CREDENTIAL_SECONDS = 86_400;
const UNAUTHENTICATED = 401;
const OVER_QUOTA = 486;

interface Server extends IceUrl {
  readonly url: string;
}

export interface IceOptions {
  /** `bbb.iceServers` */
  readonly urls: readonly string[];
  /** Of the TURN servers, `bbb.turnSecretFile`. */
  readonly turnSecret: (() => Promise<string>) | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly timeoutMs: number;
}

/** Where STUN servers see this machine. A TURN server over UDP is one, too. */
export async function stunFindings({ urls, timeoutMs }: IceOptions): Promise<Finding[]> {
  const servers = serversOf(urls).filter(({ transport }) => transport === 'udp');
  if (servers.length === 0) {
    const advice = 'Name what BigBlueButton has in turn-stun-servers.xml: bbb.iceServers.';
    return [warning('STUN', 'not tried: bbb.iceServers names no server', advice)];
  }
  return Promise.all(
    servers.map(async ({ host, port }): Promise<Finding> => {
      const check = `STUN ${host}, udp ${port}`;
      try {
        const { seen } = await askStunServer({ host, port, timeoutMs });
        return ok(check, `sees this machine at ${seen.address}`);
      } catch (error) {
        if (!(error instanceof WebRtcError)) throw error;
        return failed(check, error.message, `Let udp ${port} out here, and in there.`);
      }
    }),
  );
}

/** Whether TURN servers relay for who shows credentials made by their secret. */
export async function turnFindings({ urls, turnSecret, now, timeoutMs }: IceOptions): Promise<Finding[]> {
  const servers = serversOf(urls).filter(({ scheme }) => scheme !== 'stun');
  if (servers.length === 0) {
    const advice = 'Where UDP is not let out, sound needs one: bbb.iceServers, as in turns:turn.example.org:443.';
    return [warning('TURN', 'not tried: bbb.iceServers names no server', advice)];
  }
  if (turnSecret === undefined) {
    return [warning('TURN', 'not tried: there is no secret', 'Set bbb.turnSecretFile to a file with its secret.')];
  }
  let secret: string;
  try {
    secret = await turnSecret();
  } catch (error) {
    if (!(error instanceof SecretFileError)) throw error;
    return [failed('TURN', messageOf(error), 'bbb.turnSecretFile is a file with the secret alone.')];
  }
  const credentials = turnCredentials({ secret, id: 'sluice', expiresAt: now / 1000 + CREDENTIAL_SECONDS });
  return Promise.all(
    servers.map(async (server) => {
      const { host, port, transport, scheme, url } = server;
      const address = { host, port, transport, isSecure: scheme === 'turns' };
      return findingOf(url, server, await tryTurnServer({ server: address, credentials, peers: [], timeoutMs }));
    }),
  );
}

function serversOf(urls: readonly string[]): Server[] {
  return [...new Set(urls)].flatMap((url) => {
    const parsed = parseIceUrl(url);
    return parsed === undefined ? [] : [{ ...parsed, url }];
  });
}

function findingOf(url: string, { transport, port, scheme }: Server, trial: TurnTrial): Finding {
  if (trial.kind === 'unreachable') {
    const advice = `Let ${transport} ${port} out here, and in there.`;
    const certificate = ' Its certificate must be good for this name.';
    return failed(url, trial.detail, scheme === 'turns' ? `${advice}${certificate}` : advice);
  }
  if (trial.kind === 'refused') {
    const found = `${trial.code} ${trial.reason}`.trim();
    if (trial.code === UNAUTHENTICATED) {
      const advice = 'bbb.turnSecretFile and static-auth-secret there differ, or the clocks of the two machines do.';
      return failed(url, `${found}: the credentials are refused`, advice);
    }
    const isFull = trial.code === OVER_QUOTA || trial.code >= 500;
    return failed(url, found, isFull ? 'It is full: see its quotas and ports.' : "See the TURN server's log.");
  }
  if (!trial.isGuarded) {
    return warning(url, 'relays for anybody, without credentials', 'Set use-auth-secret and static-auth-secret there.');
  }
  return ok(url, `relays from ${trial.relayed.address}`);
}
