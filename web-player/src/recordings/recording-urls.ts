/** What the page's own URL says to the page; the rest, a token say, is for the server. */
const OWN_PARAMETERS = ['protocol', 'muted'];

/** `/player/live/show/recordings` → `live/show`; undefined for any other path. */
export function recordedPathOf(pathname: string): string | undefined {
  return /^\/player\/([A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+)\/recordings\/?$/.exec(
    pathname,
  )?.[1];
}

/** Where a stream's recordings are. */
export class RecordingUrls {
  readonly #path: string;
  readonly #search: string;
  readonly #origin: string;

  /**
   * @param search the page's own query
   * @param origin of the server, as in `http://host:8080`, where the page is from another
   */
  constructor(path: string, search: string, origin = '') {
    this.#path = path;
    this.#origin = origin;
    const query = new URLSearchParams(search);
    for (const name of OWN_PARAMETERS) query.delete(name);
    this.#search = query.toString();
  }

  get player(): string {
    return this.#with(`/player/${this.#path}`, {});
  }

  get timeline(): string {
    return this.#with(`/${this.#path}/recordings.json`, {});
  }

  playlist(from: number, to: number): string {
    return this.#with(`/${this.#path}/recordings.m3u8`, { start: rfc3339(from), end: rfc3339(to) });
  }

  /** @param at seconds from the file's beginning */
  picture(id: string, at: number): string {
    return this.#with(`/${this.#path}/recordings/${id}.jpg`, { at: at.toFixed(1) });
  }

  clip(from: number, to: number): string {
    const duration = ((to - from) / 1000).toFixed(3);
    return this.#with('/get', { path: this.#path, start: rfc3339(from), duration, format: 'mp4', ...this.#asDownload });
  }

  /** @param url of a file, as the server lists it */
  file(url: string): string {
    return this.#with(url, this.#asDownload);
  }

  /** Browsers heed the `download` of a link on pages of the same origin only. */
  get #asDownload(): Readonly<Record<string, string>> {
    return this.#origin === '' ? {} : { download: '1' };
  }

  #with(url: string, parameters: Readonly<Record<string, string>>): string {
    const query = new URLSearchParams(this.#search);
    for (const [name, value] of Object.entries(parameters)) query.set(name, value);
    return this.#origin + (query.size === 0 ? url : `${url}?${query}`);
  }
}

const rfc3339 = (time: number): string => new Date(time).toISOString();
