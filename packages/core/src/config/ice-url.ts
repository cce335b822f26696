import { isIPv6 } from 'node:net';

/** A STUN or TURN server, as a browser is told of it. */
export interface IceUrl {
  readonly scheme: 'stun' | 'turn' | 'turns';
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** How a client speaks to the server; `turns` is TLS over it. */
  readonly transport: 'udp' | 'tcp';
}

/** RFC 7064 §3.2, RFC 7065 §3.2: 3478, and 5349 over TLS. */
const USUAL_PORT = { stun: 3478, turn: 3478, turns: 5349 } as const;
const FORM = /^(stun|turns?):(\[[\da-f:.]+\]|[a-z\d](?:[a-z\d.-]*[a-z\d])?)(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?$/i;

/**
 * Reads the URL of a STUN or TURN server, RFC 7064 and RFC 7065. TURN over DTLS (`turns:…?transport=udp`) is left out:
 * no browser speaks it.
 *
 * @returns undefined where the text is none
 */
export function parseIceUrl(text: string): IceUrl | undefined {
  const [, schemeText = '', hostText = '', portText, transportText] = FORM.exec(text) ?? [];
  if (schemeText === '') return undefined;
  const scheme = schemeText.toLowerCase() as IceUrl['scheme'];
  const given = transportText?.toLowerCase() as IceUrl['transport'] | undefined;
  if (given !== undefined && (scheme === 'stun' || (scheme === 'turns' && given === 'udp'))) return undefined;
  const isBracketed = hostText.startsWith('[');
  const host = isBracketed ? hostText.slice(1, -1) : hostText;
  if (isBracketed && !isIPv6(host)) return undefined;
  const port = portText === undefined ? USUAL_PORT[scheme] : Number(portText);
  if (port < 1 || port > 65_535) return undefined;
  return { scheme, host, port, transport: given ?? (scheme === 'turns' ? 'tcp' : 'udp') };
}
