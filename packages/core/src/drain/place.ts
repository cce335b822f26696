import { createHash } from 'node:crypto';

/** The protocols that have a way to say "go there". */
export type PlaceScheme = 'http' | 'https' | 'rtmp' | 'rtmps';

/** Another server that takes publishers and viewers. */
export interface Place {
  readonly name: string;
  /** Base URLs, one for each scheme at most: `https://b.example.org:8088`, `rtmp://b.example.org`. */
  readonly urls: readonly string[];
}

/** Base URLs as they are configured, as places: those of one host belong together. */
export function placesOf(urls: readonly string[]): Place[] {
  const places = new Map<string, string[]>();
  for (const url of urls) {
    const { hostname } = new URL(url);
    places.set(hostname, [...(places.get(hostname) ?? []), url]);
  }
  return [...places].map(([name, own]) => ({ name, urls: own }));
}

/**
 * Where somebody is sent: the same address always to the same place, as long as that one is there, and all addresses
 * evenly to all places (rendezvous hashing).
 *
 * @param schemes that will do, the best one first
 * @returns a base URL without a slash at its end
 */
export function baseUrlFor(places: readonly Place[], ip: string, schemes: readonly PlaceScheme[]): string | undefined {
  let best: { readonly weight: string; readonly url: string } | undefined;
  for (const { name, urls } of places) {
    const url = schemes.flatMap((scheme) => urls.filter((base) => base.startsWith(`${scheme}://`))).at(0);
    if (url === undefined) continue;
    const weight = createHash('sha1').update(`${ip} ${name}`).digest('hex');
    if (best === undefined || weight > best.weight) best = { weight, url };
  }
  return best?.url.replace(/\/+$/, '');
}
