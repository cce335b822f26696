import { type ApiClient, pathPart } from '../api-client/api-client.js';

/** Pictures that are fetched at the same time: the server makes each by a run of ffmpeg. */
const AT_ONCE = 2;
/** After which a picture that is looked at is made anew; and after which one that failed is tried again. */
const FRESH_MS = 60_000;

interface Poster {
  readonly fetchedAt: number;
  readonly url: string | undefined;
}

/** Pictures of streams, fetched with the login's token, for those that are looked at. */
export class Posters {
  readonly #api: ApiClient;
  readonly #signal: AbortSignal;
  readonly #posters = new Map<string, Poster>();
  readonly #waiting = new Map<string, (url: string) => void>();
  #running = 0;

  /** @param signal when it is aborted, all pictures are let go of */
  constructor(api: ApiClient, signal: AbortSignal) {
    this.#api = api;
    this.#signal = signal;
    signal.addEventListener('abort', () => {
      for (const { url } of this.#posters.values()) if (url !== undefined) URL.revokeObjectURL(url);
    });
  }

  /** Shows a picture as soon as there is one; nothing where the one that is shown is fresh. */
  want(path: string, show: (url: string) => void): void {
    const known = this.#posters.get(path);
    if (known !== undefined && performance.now() - known.fetchedAt < FRESH_MS) return;
    this.#waiting.set(path, show);
    this.#next();
  }

  /** It isn't looked at any more. */
  forget(path: string): void {
    this.#waiting.delete(path);
  }

  /** It is gone. */
  drop(path: string): void {
    this.#waiting.delete(path);
    const url = this.#posters.get(path)?.url;
    if (url !== undefined) URL.revokeObjectURL(url);
    this.#posters.delete(path);
  }

  #next(): void {
    while (this.#running < AT_ONCE && !this.#signal.aborted) {
      const [entry] = this.#waiting;
      if (entry === undefined) return;
      const [path, show] = entry;
      this.#waiting.delete(path);
      this.#running += 1;
      void this.#fetch(path, show).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }

  async #fetch(path: string, show: (url: string) => void): Promise<void> {
    const before = this.#posters.get(path)?.url;
    this.#posters.set(path, { fetchedAt: performance.now(), url: before });
    try {
      const response = await this.#api.fetch('GET', `/posters/${pathPart(path)}`, { signal: this.#signal });
      const url = URL.createObjectURL(await response.blob());
      if (this.#signal.aborted) {
        URL.revokeObjectURL(url);
        return;
      }
      this.#posters.set(path, { fetchedAt: performance.now(), url });
      show(url);
      if (before !== undefined) URL.revokeObjectURL(before);
    } catch {
      // Without ffmpeg, or without a keyframe yet, there is no picture, and the place for it says so.
    }
  }
}
