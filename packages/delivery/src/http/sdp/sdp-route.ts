import { isIP } from 'node:net';
import type { AnnouncedAddress } from '@sluice/webrtc';

/** `/whip/app/name` and `/whep/app/name`. */
const OWN = /^\/(whip|whep)\/(.+)$/;
/** The same with a session's name behind it, once there is one. */
const RESOURCE = /^(.+)\/([0-9a-f]{32})$/;
/** The forms of SRS. */
const SRS = /^\/rtc\/v1\/(whip|whep|whip-play)\/?$/;
/** The JSON form of SRS, from before WHIP. */
const LEGACY = /^\/rtc\/v1\/(publish|play)\/?$/;

/** What a URL of either form says. */
export interface SdpRoute {
  readonly action: 'publish' | 'play';
  readonly path: string;
  readonly id: string | undefined;
  locationOf(id: string): string;
}

/** What offers at a path ask for; undefined where none are answered. */
export function sdpActionOf(pathname: string): 'publish' | 'play' | undefined {
  const [, kind] = OWN.exec(pathname) ?? SRS.exec(pathname) ?? [];
  if (kind === undefined) return legacyActionOf(pathname);
  return kind === 'whip' ? 'publish' : 'play';
}

/** Whether a path is one at which offers are answered. */
export function isSdpPath(pathname: string): boolean {
  return sdpActionOf(pathname) !== undefined;
}

/** @param method an offer (POST) comes before there is a session: nothing in its URL is the name of one */
export function sdpRouteOf(method: string, pathname: string, query: URLSearchParams): SdpRoute | undefined {
  const [, kind, rest] = OWN.exec(pathname) ?? [];
  if (kind !== undefined && rest !== undefined) {
    const [, path = rest, id] = (method === 'POST' ? undefined : RESOURCE.exec(rest)) ?? [];
    const action = kind === 'whip' ? 'publish' : 'play';
    return { action, path, id, locationOf: (session) => `/${kind}/${path}/${session}` };
  }
  const [, srsKind] = SRS.exec(pathname) ?? [];
  if (srsKind === undefined) return undefined;
  const [app, stream] = [query.get('app') ?? 'live', query.get('stream') ?? 'livestream'];
  return {
    action: srsKind === 'whip' ? 'publish' : 'play',
    path: `${app}/${stream}`,
    id: query.get('session') ?? undefined,
    locationOf: (session) => `${pathname}?${new URLSearchParams({ action: 'delete', app, stream, session })}`,
  };
}

/** Which of the two a path of the JSON form asks for. */
export function legacyActionOf(pathname: string): 'publish' | 'play' | undefined {
  const [, action] = LEGACY.exec(pathname) ?? [];
  return action === 'publish' || action === 'play' ? action : undefined;
}

/** A client may say under which address it reaches the server: `?eip=203.0.113.5:8000`, or `candidate`, as SRS does. */
export function announcedBy(query: URLSearchParams): readonly AnnouncedAddress[] | undefined {
  const text = query.get('eip') ?? query.get('candidate') ?? '';
  const [, six, four, digits] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = isIP(text) === 6 ? text : (six ?? four);
  if (address === undefined || isIP(address) === 0) return undefined;
  const port = digits === undefined ? undefined : Number(digits);
  return port === 0 || (port ?? 1) > 65_535 ? undefined : [{ address, port }];
}
