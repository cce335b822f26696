import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import { type Config, type Finding, failed, messageOf, ok, warning } from '@sluice/core';

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;
const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const CHECK = 'TLS certificate';

/**
 * Whether the certificate of RTMPS, HTTPS and the control API is one that clients take.
 *
 * @param extraAuthorities PEM, as in NODE_EXTRA_CA_CERTS
 */
export async function certificateFindings(config: Config, now: Date, extraAuthorities = ''): Promise<Finding[]> {
  const { certFile, keyFile } = config.tls;
  if (certFile === undefined || keyFile === undefined) return [];
  let files: { readonly cert: string; readonly key: string };
  try {
    files = { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
  } catch (error) {
    return [failed(CHECK, messageOf(error), 'Let the user that runs Sluice read tls.certFile and tls.keyFile.')];
  }
  let chain: X509Certificate[];
  try {
    chain = certificatesIn(files.cert);
  } catch (error) {
    return [failed(CHECK, `${certFile}: ${messageOf(error)}`, 'Write it again from where it was issued.')];
  }
  const [leaf, ...rest] = chain;
  if (leaf === undefined) {
    return [failed(CHECK, `${certFile} holds none`, 'It must be PEM: -----BEGIN CERTIFICATE-----')];
  }
  const authorities = [...rootCertificates.map((pem) => new X509Certificate(pem)), ...certificatesIn(extraAuthorities)];
  return [
    keyFinding(leaf, files.key, keyFile),
    timeFinding(leaf, now),
    chainFinding(leaf, rest, authorities),
    namesFinding(leaf),
  ];
}

const certificatesIn = (text: string): X509Certificate[] =>
  (text.match(PEM) ?? []).map((pem) => new X509Certificate(pem));

function keyFinding(leaf: X509Certificate, pem: string, keyFile: string): Finding {
  const check = `${CHECK}, key`;
  try {
    if (leaf.checkPrivateKey(createPrivateKey(pem))) return ok(check, 'fits');
  } catch (error) {
    return failed(check, `${keyFile}: ${messageOf(error)}`, 'It must be a PEM file without a passphrase.');
  }
  return failed(
    check,
    `${keyFile} is of another certificate`,
    'tls.keyFile must be what the certificate was made with.',
  );
}

function timeFinding(leaf: X509Certificate, now: Date): Finding {
  const check = `${CHECK}, time`;
  const [from, to] = [new Date(leaf.validFrom), new Date(leaf.validTo)];
  const days = Math.floor((to.getTime() - now.getTime()) / DAY_MS);
  const renew = 'Renew it; Sluice takes up the new files by itself.';
  if (now < from) return failed(check, `not valid before ${from.toISOString()}`, "Look at this machine's clock.");
  if (now > to) return failed(check, `expired at ${to.toISOString()}`, renew);
  if (days < SOON_DAYS) return warning(check, `expires in ${days} days`, `${renew} Does the renewal run?`);
  return ok(check, `valid for ${days} days`);
}

/** Whether a client that knows the usual authorities gets from the certificate to one of them. */
function chainFinding(
  leaf: X509Certificate,
  rest: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): Finding {
  const check = `${CHECK}, chain`;
  if (isIssuedBy(leaf, leaf)) {
    const advice =
      'Browsers refuse it unless it is installed in each of them: have one issued, by Let’s Encrypt or another.';
    return warning(check, 'signed by itself', advice);
  }
  let last = leaf;
  const left = [...rest];
  for (;;) {
    const current = last;
    const at = left.findIndex((candidate) => isIssuedBy(current, candidate));
    const next = at < 0 ? undefined : left.splice(at, 1)[0];
    if (next === undefined) break;
    last = next;
  }
  const known = authorities.some((authority) => isIssuedBy(last, authority));
  const count = 1 + rest.length - left.length;
  if (known) return ok(check, `complete, ${count} in the file`);
  const issuer = last.issuer.replaceAll('\n', ', ');
  if (last === leaf) {
    return warning(
      check,
      `no certificate of its issuer (${issuer}) in the file, and that is no authority that is known everywhere`,
      'Use the file with the whole chain: fullchain.pem. Some clients do not fetch what is missing.',
    );
  }
  return warning(
    check,
    `it ends at an authority that is not known everywhere (${issuer})`,
    'Browsers refuse it unless that authority is installed in each of them.',
  );
}

const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

function namesFinding(leaf: X509Certificate): Finding {
  const check = `${CHECK}, names`;
  if (leaf.subjectAltName !== undefined) return ok(check, leaf.subjectAltName);
  return failed(check, 'none (subjectAltName)', 'Browsers look at no other name: have one issued with it.');
}
