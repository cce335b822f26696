import { turnCredentials } from '@sluice/webrtc';

export interface IceServerSettings {
  /** `stun:host:port`, `turn:host:port?transport=udp`, `turns:…` */
  readonly iceServers: readonly string[];
  readonly turn: { readonly secret?: string | undefined; readonly credentialSeconds: number };
}

/**
 * The servers that help a client to get through, as `Link` headers, RFC 9725 §4.6.
 *
 * @param id to whom a relay's credentials are given; undefined where they are given to nobody
 * @param now seconds since 1970
 */
export function iceServerLinks({ iceServers, turn }: IceServerSettings, id: string | undefined, now: number): string[] {
  return iceServers.flatMap((url) => {
    const link = `<${url}>; rel="ice-server"`;
    if (url.startsWith('stun')) return [link];
    if (id === undefined || turn.secret === undefined) return [];
    const expiresAt = Math.floor(now) + turn.credentialSeconds;
    const { username, password } = turnCredentials({ secret: turn.secret, id, expiresAt });
    return [`${link}; username="${username}"; credential="${password}"; credential-type="password"`];
  });
}
