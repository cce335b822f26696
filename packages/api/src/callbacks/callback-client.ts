import { type Clock, messageOf } from '@sluice/core';
import { Agent, request } from 'undici';
import { SIGNATURE_HEADER, signatureOf } from './signature.js';

/** What a URL outside said. */
export interface CallbackAnswer {
  readonly status: number;
  readonly body: string;
}

export interface CallbackPost {
  readonly url: string;
  readonly body: string;
  /** `application/json` where nothing else is said. */
  readonly contentType?: string | undefined;
  /** From the first byte out to the last one in. */
  readonly timeoutMs: number;
  /** Signs the body (`Sluice-Signature`). */
  readonly secret?: string | undefined;
  /** An answer that is longer is none. */
  readonly maxAnswerBytes?: number | undefined;
}

export type CallbackErrorCode = 'timeout' | 'unreachable' | 'answer-too-long';

/** There is no answer. The message names the URL without its query, and no part of the body. */
export class CallbackError extends Error {
  override readonly name = 'CallbackError';
  readonly code: CallbackErrorCode;

  constructor(code: CallbackErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const MAX_ANSWER_BYTES = 64 * 1024;
/** Of one origin at a time; what comes on top waits for its turn, inside its own time-out. */
const MAX_CONNECTIONS = 128;
/** Idle connections are given up before most servers give them up. */
const KEEP_ALIVE_MS = 4000;

/** POSTs to URLs outside, over connections that are kept. Redirects are answers like any other: nobody follows them. */
export class CallbackClient {
  readonly #clock: Clock;
  readonly #agent = new Agent({
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The whole exchange has a time-out of its own.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  constructor(options: { clock: Clock }) {
    this.#clock = options.clock;
  }

  /** @throws {CallbackError} where no answer came, or none that could be taken */
  async post(post: CallbackPost): Promise<CallbackAnswer> {
    const { url, body, timeoutMs, maxAnswerBytes = MAX_ANSWER_BYTES } = post;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await request(withoutUserInfo(url), {
        method: 'POST',
        dispatcher: this.#agent,
        headers: this.#headersOf(post),
        body,
        signal,
      });
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > maxAnswerBytes) {
          throw new CallbackError(
            'answer-too-long',
            `${shownUrl(url)} answered with more than ${maxAnswerBytes} bytes; answer with less`,
          );
        }
        chunks.push(chunk);
      }
      return { status: answer.statusCode, body: Buffer.concat(chunks).toString() };
    } catch (error) {
      if (error instanceof CallbackError) throw error;
      if (signal.aborted) {
        throw new CallbackError('timeout', `${shownUrl(url)} gave no answer in ${timeoutMs} ms`, { cause: error });
      }
      throw new CallbackError('unreachable', `${shownUrl(url)} can't be asked: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** Cuts what is under way. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #headersOf({ url, body, contentType = 'application/json', secret }: CallbackPost): Record<string, string> {
    const headers: Record<string, string> = { 'content-type': contentType, 'user-agent': 'Sluice' };
    const { username, password } = new URL(url);
    if (username !== '' || password !== '') {
      const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      headers.authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    }
    if (secret !== undefined) {
      headers[SIGNATURE_HEADER] = signatureOf(secret, Math.floor(this.#clock.wall() / 1000), body);
    }
    return headers;
  }
}

/** Where a host has several addresses, the error is about all of them and has a code only. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'no reason given';
  return messageOf(error) || code;
}

/** A URL as logs and errors may have it: users, passwords and queries can be secrets. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

function withoutUserInfo(url: string): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}
