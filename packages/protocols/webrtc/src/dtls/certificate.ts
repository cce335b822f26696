import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** What a process shows to its peers: self-signed, ECDSA on P-256 with SHA-256. */
export interface DtlsCertificate {
  readonly der: Buffer;
  readonly privateKey: KeyObject;
  /** SHA-256, as SDP writes it: `AB:CD:…` */
  readonly fingerprint: string;
}

export interface CertificateOptions {
  readonly commonName: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** By chance, 8 to 20 bytes. */
  readonly serial: Buffer;
}

const ECDSA_WITH_SHA256 = '06082a8648ce3d040302';
const COMMON_NAME = '0603550403';

export function makeCertificate({ commonName, notBefore, notAfter, serial }: CertificateOptions): DtlsCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const algorithm = der(0x30, Buffer.from(ECDSA_WITH_SHA256, 'hex'));
  const utf8Name = der(0x0c, Buffer.from(commonName));
  const name = der(0x30, der(0x31, der(0x30, Buffer.from(COMMON_NAME, 'hex'), utf8Name)));
  const body = der(
    0x30,
    // Version 3.
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, positive(serial)),
    algorithm,
    name,
    der(0x30, generalizedTime(notBefore), generalizedTime(notAfter)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', body, privateKey);
  const bytes = der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signature));
  return { der: bytes, privateKey, fingerprint: fingerprintOf(bytes, 'sha256') };
}

/** As SDP writes it, RFC 8122 §5. */
export function fingerprintOf(certificate: Buffer, hash: string): string {
  const hex = createHash(hash).update(certificate).digest('hex').toUpperCase();
  return hex.match(/../g)?.join(':') ?? '';
}

/** A value of the distinguished encoding rules: type, length, content. */
function der(type: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([type, length]), content]);
  const bytes = length < 0x100 ? [length] : [length >>> 8, length & 0xff];
  return Buffer.concat([Buffer.from([type, 0x80 | bytes.length, ...bytes]), content]);
}

function positive(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[0] = ((copy[0] ?? 0) & 0x7f) | 0x40;
  return copy;
}

function generalizedTime(date: Date): Buffer {
  const text = `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  // RFC 5280 §4.1.2.5: until 2049 the year has two digits.
  return date.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text));
}
