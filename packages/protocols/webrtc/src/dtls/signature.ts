import { constants, type KeyObject, sign, verify, X509Certificate } from 'node:crypto';
import { malformed } from '../errors.js';
import { Cursor, uint16, vector } from './cursor.js';
import { SIGNATURE } from './hello.js';

/** A signature with its algorithm, RFC 5246 §4.7. */
export function signed(content: Buffer, key: KeyObject): Buffer {
  return Buffer.concat([uint16(SIGNATURE.ecdsaP256Sha256), vector(2, sign('sha256', content, key))]);
}

/**
 * Whether a signature, the last that the cursor has, was made by the owner of a certificate.
 *
 * @throws {WebRtcError} `malformed`
 */
export function isSigned(content: Buffer, cursor: Cursor, certificate: Buffer): boolean {
  const algorithm = cursor.number(2);
  const signature = cursor.vector(2);
  cursor.end();
  const key = publicKeyOf(certificate);
  const isRsa = key.asymmetricKeyType === 'rsa';
  switch (algorithm) {
    case SIGNATURE.ecdsaP256Sha256:
      return key.asymmetricKeyType === 'ec' && verify('sha256', content, key, signature);
    case SIGNATURE.rsaPkcs1Sha256:
      return isRsa && verify('sha256', content, key, signature);
    case SIGNATURE.rsaPssSha256: {
      const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
      return isRsa && verify('sha256', content, { key, ...padding }, signature);
    }
    default:
      return false;
  }
}

function publicKeyOf(certificate: Buffer): KeyObject {
  try {
    return new X509Certificate(certificate).publicKey;
  } catch {
    throw malformed('a certificate that can not be read');
  }
}

/** The first certificate of a list, RFC 5246 §7.4.2. @throws {WebRtcError} `malformed`, where there is none, too */
export function readCertificate(body: Buffer): Buffer {
  const outer = new Cursor(body, 'a Certificate');
  const list = new Cursor(outer.vector(3), 'a Certificate');
  outer.end();
  if (list.isAtEnd) throw malformed('the peer shows no certificate');
  return list.vector(3);
}

export function writeCertificate(der: Buffer): Buffer {
  return vector(3, vector(3, der));
}
