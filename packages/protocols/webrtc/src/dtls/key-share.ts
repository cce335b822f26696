import { createECDH, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';

/** RFC 8422 §5.1.1 */
export const GROUP = { p256: 23, x25519: 29 } as const;
export type Group = (typeof GROUP)[keyof typeof GROUP];

/** One side's part of an ephemeral key exchange. */
export interface KeyShare {
  readonly group: Group;
  /** As it goes over the wire. */
  readonly publicKey: Buffer;
  /** @returns the premaster secret; undefined where the peer's key is none */
  agree(peerKey: Buffer): Buffer | undefined;
}

export function makeKeyShare(group: Group): KeyShare {
  return group === GROUP.x25519 ? x25519() : p256();
}

function p256(): KeyShare {
  const exchange = createECDH('prime256v1');
  const publicKey = exchange.generateKeys();
  return {
    group: GROUP.p256,
    publicKey,
    // RFC 8422 §5.4.1: not compressed.
    agree: (peerKey) => (peerKey[0] === 4 ? orUndefined(() => exchange.computeSecret(peerKey)) : undefined),
  };
}

function x25519(): KeyShare {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return {
    group: GROUP.x25519,
    publicKey: Buffer.from(x, 'base64url'),
    agree: (peerKey) =>
      orUndefined(() => {
        const key = { kty: 'OKP', crv: 'X25519', x: peerKey.toString('base64url') };
        return diffieHellman({ privateKey, publicKey: createPublicKey({ key, format: 'jwk' }) });
      }),
  };
}

/** Points that aren't on the curve make OpenSSL throw. */
function orUndefined(act: () => Buffer): Buffer | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
