import { randomUUID } from 'node:crypto';
import {
  type CheckedRequest,
  type Config,
  type CredentialCheck,
  type Credentials,
  credentialName,
  hasCredentials,
  type Identity,
  type Logger,
  messageOf,
  Refusal,
} from '@sluice/core';
import { type CallbackClient, shownUrl } from '../callbacks/callback-client.js';
import { type HttpAuthQuestion, httpAuthQuestion } from './http-auth-question.js';

export type HttpAuthSettings = Config['auth']['http'];

/**
 * Lets a server outside say whose credentials hold. It is asked as well where nothing was shown: it may go by the
 * address. Once it has said yes to a user's name, the name is believed.
 */
export class HttpAuthCheck implements CredentialCheck {
  readonly #client: CallbackClient;
  readonly #settings: () => HttpAuthSettings;
  readonly #log: Logger;
  /** What was asked, to ask it again. It holds secrets, and goes with the session that it belongs to. */
  readonly #questions = new WeakMap<Identity, HttpAuthQuestion>();

  constructor(options: { client: CallbackClient; settings: () => HttpAuthSettings; log: Logger }) {
    this.#client = options.client;
    this.#settings = options.settings;
    this.#log = options.log;
  }

  async verify(request: CheckedRequest): Promise<Identity | undefined> {
    const { url, timeoutMs } = this.#settings();
    if (url === undefined) return undefined;
    const question = httpAuthQuestion(request, randomUUID());
    const status = await this.#ask(url, timeoutMs, question).catch((error) => {
      this.#log.warn({ url: shownUrl(url), detail: messageOf(error) }, 'the authentication server gave no answer');
      throw new Refusal('callback-failed', 'the authentication server gave no answer', { cause: error });
    });
    const { credentials } = request;
    if (status >= 200 && status < 300) {
      const identity: Identity = {
        kind: 'http-auth',
        viewer: credentials.user,
        credential: hasCredentials(credentials) ? credentialName(textOf(credentials)) : undefined,
      };
      this.#questions.set(identity, question);
      return identity;
    }
    if (status === 401 && !hasCredentials(credentials)) {
      throw new Refusal('credential-missing', `${request.path} needs a credential to ${request.action}`);
    }
    // Its own trouble says nothing about the credential, and must not count as a wrong one.
    if (status >= 500) throw new Refusal('callback-failed', 'the authentication server is in trouble');
    throw new Refusal('credential-invalid', 'the authentication server refuses the credential');
  }

  /**
   * Asks again about an identity that this check gave.
   *
   * @returns false where it has been taken back (401, 403), and undefined where the answer doesn't tell
   * @throws {CallbackError} where there is no answer
   */
  async askAgain(identity: Identity): Promise<boolean | undefined> {
    const question = this.#questions.get(identity);
    const { url, timeoutMs } = this.#settings();
    if (question === undefined || url === undefined) return undefined;
    const status = await this.#ask(url, timeoutMs, question);
    if (status === 401 || status === 403) return false;
    return status >= 200 && status < 300 ? true : undefined;
  }

  async #ask(url: string, timeoutMs: number, question: HttpAuthQuestion): Promise<number> {
    const { status } = await this.#client.post({ url, body: JSON.stringify(question), timeoutMs });
    return status;
  }
}

function textOf({ key, token, sign, wmsAuth, user, password }: Credentials): string {
  return JSON.stringify([key, token, sign, wmsAuth, user, password]);
}
