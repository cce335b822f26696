/** `<target>` and its parameters, RFC 8288 §3. */
const LINK = /[\s,]*<([^>]*)>((?:\s*;\s*[^\s"<>;,=]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s"<>;,]*))?)*)/gy;
const PARAMETER = /;\s*([^\s"<>;,=]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"<>;,]*)))?/g;
const STUN = /^stuns?:./i;
const TURN = /^turns?:./i;

/**
 * The STUN and TURN servers that a WHIP or WHEP endpoint names, RFC 9725 §4.6: `<turn:host>; rel="ice-server"; …`.
 * What a browser could not use is left out: other links, other schemes, TURN without user and password.
 *
 * @param link the `Link` headers, joined by commas as `Headers.get` does
 */
export function iceServersOf(link: string | null): RTCIceServer[] {
  return [...(link ?? '').matchAll(LINK)].flatMap(([, target = '', parameters = '']) => {
    const named = parametersOf(parameters);
    const relations = (named.get('rel') ?? '').toLowerCase().split(/\s+/);
    if (!relations.includes('ice-server')) return [];
    if (STUN.test(target)) return [{ urls: target }];
    const username = named.get('username');
    const credential = named.get('credential');
    const isPassword = (named.get('credential-type') ?? 'password') === 'password';
    if (!TURN.test(target) || !username || !credential || !isPassword) return [];
    return [{ urls: target, username, credential }];
  });
}

/** Of parameters that are there twice, the first counts (RFC 8288 §3.3 says so of `rel`). */
function parametersOf(text: string): Map<string, string> {
  const named = new Map<string, string>();
  for (const [, name = '', quoted, token] of text.matchAll(PARAMETER)) {
    const key = name.toLowerCase();
    if (!named.has(key)) named.set(key, quoted?.replace(/\\(.)/g, '$1') ?? token ?? '');
  }
  return named;
}
