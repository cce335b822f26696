import { inspect } from 'node:util';

/**
 * A URL that lets whoever has it into a meeting. However it is printed, logged or serialised, only its host is seen:
 * `https://bbb.example.org/… (hidden)`.
 */
export class SecretUrl {
  readonly #url: string;
  readonly #shown: string;

  /** @param url with a scheme and a host; what isn't one is hidden as a whole */
  constructor(url: string) {
    this.#url = url;
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    this.#shown = parsed === undefined ? '(hidden)' : `${parsed.protocol}//${parsed.host}/… (hidden)`;
  }

  /** The URL itself: for who opens it, and nobody else. */
  reveal(): string {
    return this.#url;
  }

  /** Scheme, host and port, which are no secret; empty for what is no URL. */
  get origin(): string {
    return URL.canParse(this.#url) ? new URL(this.#url).origin : '';
  }

  toString(): string {
    return this.#shown;
  }

  toJSON(): string {
    return this.#shown;
  }

  [inspect.custom](): string {
    return `SecretUrl ${this.#shown}`;
  }
}
