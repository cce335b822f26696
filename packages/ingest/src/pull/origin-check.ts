import { createHash } from 'node:crypto';
import {
  type CheckedRequest,
  type Clock,
  type CredentialCheck,
  type Identity,
  type Logger,
  messageOf,
  originQuery,
  type PullSettings,
  Refusal,
  type StreamPath,
} from '@sluice/core';
import { type OpenPullLine, OriginRefusal } from './pull-line.js';

export interface OriginCheckOptions {
  readonly settingsFor: (path: StreamPath) => PullSettings | undefined;
  readonly open: OpenPullLine;
  readonly clock: Clock;
  readonly log: Logger;
  /** The origin lets a viewer watch who shows this query. */
  readonly onGranted: (path: StreamPath, query: string) => void;
}

interface Asked {
  readonly until: number;
  readonly answer: Promise<void>;
}

/** An answer holds so long for the same query: players ask for many things at once, and again when they stumble. */
const HOLDS_MS = 15_000;
const MOST_REMEMBERED = 10_000;

/** Asks the origin of a pulled path whether a viewer may watch, by the viewer's own query. */
export class OriginCheck implements CredentialCheck {
  readonly #options: OriginCheckOptions;
  readonly #asked = new Map<string, Asked>();

  constructor(options: OriginCheckOptions) {
    this.#options = options;
  }

  /** Whether it is the origin who decides. */
  decides({ action, path }: Pick<CheckedRequest, 'action' | 'path'>): boolean {
    return action === 'play' && this.#options.settingsFor(path)?.passQuery === true;
  }

  /** @throws {Refusal} `origin-refused` or `not-live`, as the origin says; `callback-failed` where it can't be asked */
  async verify(request: CheckedRequest): Promise<Identity | undefined> {
    const { path } = request;
    const settings = this.#options.settingsFor(path);
    if (settings === undefined || !this.decides(request)) return undefined;
    const query = originQuery(request.query.toString());
    const name = createHash('sha256').update(`${path}\n${settings.url.reveal()}\n${query}`).digest('hex');
    await this.#answer(name, path, settings, query);
    this.#options.onGranted(path, query);
    return { kind: 'origin', credential: name.slice(0, 24) };
  }

  #answer(name: string, path: StreamPath, settings: PullSettings, query: string): Promise<void> {
    const now = this.#options.clock.monotonic();
    for (const [known, { until }] of this.#asked) {
      if (until > now && this.#asked.size <= MOST_REMEMBERED) break;
      this.#asked.delete(known);
    }
    const known = this.#asked.get(name);
    if (known !== undefined) return known.answer;
    const answer = this.#ask(path, settings, query);
    this.#asked.set(name, { until: now + HOLDS_MS, answer });
    // What could not be had now may be had with the next try.
    answer.catch((error: unknown) => {
      if (!(error instanceof Refusal) || error.code !== 'origin-refused') this.#asked.delete(name);
    });
    return answer;
  }

  async #ask(path: StreamPath, settings: PullSettings, query: string): Promise<void> {
    const { open, log } = this.#options;
    const url = settings.url.withQuery(query);
    const over = new AbortController();
    try {
      const line = await open(url, over.signal, { path, log });
      line.run({ events: () => undefined, over: () => undefined });
      line.close('the origin was asked');
    } catch (error) {
      const reason = url.redact(messageOf(error));
      if (!(error instanceof OriginRefusal)) {
        throw new Refusal('callback-failed', `the origin of ${path} could not be asked: ${reason}`);
      }
      if (error.kind === 'not-found')
        throw new Refusal('not-live', `the origin of ${path} does not have it: ${reason}`);
      throw new Refusal('origin-refused', `the origin of ${path} refused: ${reason}`);
    } finally {
      over.abort();
    }
  }
}
