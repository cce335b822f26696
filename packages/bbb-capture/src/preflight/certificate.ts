import { isIP } from 'node:net';
import { connect, type PeerCertificate } from 'node:tls';
import { type Finding, failed, messageOf, ok, warning } from '@sluice/core';
import { drop, type TcpTarget } from './tcp-line.js';

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

/** What a server showed in a TLS handshake. */
interface Shown {
  readonly protocol: string;
  readonly certificate: PeerCertificate;
  /** Node's word for what is wrong with it. */
  readonly fault: string | undefined;
}

/**
 * Whether the certificate of a server is one that browsers take: its chain, its name, its time.
 *
 * @param now milliseconds since 1970
 */
export async function certificateFindings(target: TcpTarget, now: number, timeoutMs: number): Promise<Finding[]> {
  const check = `TLS of ${target.host}, tcp ${target.port}`;
  let shown: Shown;
  try {
    shown = await handshake(target, timeoutMs);
  } catch (error) {
    return [failed(check, messageOf(error), 'Does TLS 1.2 or later answer there, with nothing in between?')];
  }
  const { certificate, fault, protocol } = shown;
  const names = certificate.subjectaltname ?? 'no name';
  if (fault === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return [failed(check, `the certificate is for ${names}`, `Have one issued for ${target.host}, or mend bbb.url.`)];
  }
  if (fault !== undefined) return [failed(check, `the certificate is refused: ${fault}`, adviceOn(fault))];
  const days = Math.floor((Date.parse(certificate.valid_to) - now) / DAY_MS);
  if (days < SOON_DAYS) {
    return [warning(check, `the certificate expires in ${days} days`, 'Renew it there. Does the renewal run?')];
  }
  return [ok(check, `${protocol}, for ${names}, valid for ${days} days`)];
}

function adviceOn(fault: string): string {
  if (fault === 'CERT_HAS_EXPIRED') return "Renew it there; or is this machine's clock wrong?";
  if (fault === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' || fault === 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY') {
    return 'The chain is not whole: let the server send fullchain.pem. For an authority of your own: NODE_EXTRA_CA_CERTS.';
  }
  return 'Have one issued by a known authority. For an authority of your own: NODE_EXTRA_CA_CERTS, and the browser’s store.';
}

/** @throws where no handshake comes about */
async function handshake({ host, port }: TcpTarget, timeoutMs: number): Promise<Shown> {
  // What is wrong is to be told, not only that something is.
  const socket = connect({ host, port, rejectUnauthorized: false, ...(isIP(host) === 0 ? { servername: host } : {}) });
  try {
    await new Promise<void>((done, fail) => {
      socket.setTimeout(timeoutMs, () => fail(new Error(`no TLS handshake within ${timeoutMs} ms`)));
      socket.once('secureConnect', done);
      socket.once('error', fail);
      socket.once('close', () => fail(new Error('the connection was closed during the TLS handshake')));
    });
    const { authorizationError: fault } = socket;
    return {
      protocol: socket.getProtocol() ?? 'TLS',
      certificate: socket.getPeerCertificate(),
      // An Error or a code, whatever the declaration says; null where all is well.
      fault: fault === undefined || fault === null ? undefined : codeOf(fault),
    };
  } finally {
    drop(socket);
  }
}

function codeOf(fault: unknown): string {
  if (fault instanceof Error) return (fault as NodeJS.ErrnoException).code ?? fault.message;
  return String(fault);
}
