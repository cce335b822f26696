import { isIPv4 } from 'node:net';
import { type Config, environmentName, type Finding, failed, isLoopback, ok, parseIceUrl, warning } from '@sluice/core';
import { type TurnTrial, tryTurnServer, turnCredentials } from '@sluice/webrtc';

const TIMEOUT_MS = 4000;
const CREDENTIAL_SECONDS = 600;
const UNAUTHENTICATED = 401;
const OVER_QUOTA = 486;

type Works = Extract<TurnTrial, { kind: 'works' }>;

/**
 * Whether each TURN server relays, by the credentials that browsers would get, to the addresses that they are told.
 *
 * @param now milliseconds since 1970
 */
export async function turnFindings({ webrtc }: Config, announced: readonly string[], now: number): Promise<Finding[]> {
  const urls = [...new Set(webrtc.iceServers)].filter((url) => parseIceUrl(url)?.scheme !== 'stun');
  const { secret } = webrtc.turn;
  if (urls.length === 0) {
    if (secret === undefined) return [];
    const advice = `Name it: ${environmentName('webrtc.iceServers')}=turn:HOST:3478?transport=udp,…`;
    return [warning('TURN', 'webrtc.turn.secret is set, and webrtc.iceServers names no TURN server', advice)];
  }
  if (secret === undefined) {
    const variable = environmentName('webrtc.turn.secret');
    const advice = `Set ${variable} to static-auth-secret of the TURN server; \`sluice turn-config\` prints its configuration.`;
    return [failed('TURN', 'webrtc.turn.secret is not set: browsers get no credentials', advice)];
  }
  const expiresAt = now / 1000 + CREDENTIAL_SECONDS;
  const credentials = turnCredentials({ secret, id: 'doctor', expiresAt });
  const peers = announced.filter((address) => isIPv4(address) && !isLoopback(address));
  const findings = await Promise.all(
    urls.map(async (url): Promise<Finding[]> => {
      const target = parseIceUrl(url);
      if (target === undefined) return [];
      const { host, port, transport, scheme } = target;
      const server = { host, port, transport, isSecure: scheme === 'turns' };
      const trial = await tryTurnServer({ server, credentials, peers, timeoutMs: TIMEOUT_MS });
      if (trial.kind === 'works') return worksFindings(url, trial);
      return [trial.kind === 'refused' ? refusedFinding(url, trial) : unreachableFinding(url, trial.detail, scheme)];
    }),
  );
  return findings.flat();
}

function worksFindings(url: string, { relayed, isGuarded, peers }: Works): Finding[] {
  const findings = [ok(url, `relays from ${relayed.address}`)];
  if (!isGuarded) {
    const advice = 'Set use-auth-secret and static-auth-secret there: `sluice turn-config` prints them.';
    findings.push(failed(`${url}, credentials`, 'it relays for anybody, without any', advice));
  }
  for (const { address, refusal } of peers) {
    const check = `${url}, to Sluice at ${address}`;
    const advice = `Set allowed-peer-ip=${address} there: \`sluice turn-config\` prints it.`;
    findings.push(refusal === undefined ? ok(check, 'allowed') : failed(check, `refused: ${refusal}`, advice));
  }
  return findings;
}

function refusedFinding(url: string, { code, reason }: Extract<TurnTrial, { kind: 'refused' }>): Finding {
  const found = `${code} ${reason}`.trim();
  if (code === UNAUTHENTICATED) {
    const advice =
      'webrtc.turn.secret and static-auth-secret of the TURN server differ, or the clocks of the two machines do.';
    return failed(url, `${found}: the credentials are refused`, advice);
  }
  const isFull = code === OVER_QUOTA || code >= 500;
  return failed(
    url,
    found,
    isFull ? 'The TURN server is full: see its quotas and ports.' : "See the TURN server's log.",
  );
}

function unreachableFinding(url: string, detail: string, scheme: 'stun' | 'turn' | 'turns'): Finding {
  const isCertificate = scheme === 'turns' && /certificate|altname|self.signed|issuer|unable to verify/i.test(detail);
  return failed(
    url,
    detail,
    isCertificate
      ? 'Browsers refuse its certificate, too: it needs one of a known authority, with its chain, for this name.'
      : 'Is it running, does the name lead to it, and does its firewall let this port in?',
  );
}
