import { once } from 'node:events';
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type Clock, messageOf } from '@sluice/core';
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
const AGENT_OPTIONS = { keepAlive: true, maxSockets: MAX_CONNECTIONS, timeout: KEEP_ALIVE_MS } as const;

/** POSTs to URLs outside, over connections that are kept. Redirects are answers like any other: nobody follows them. */
export class CallbackClient {
  readonly #clock: Clock;
  readonly #http = new HttpAgent(AGENT_OPTIONS);
  readonly #https = new HttpsAgent(AGENT_OPTIONS);

  constructor(options: { clock: Clock }) {
    this.#clock = options.clock;
  }

  /** @throws {CallbackError} where no answer came, or none that could be taken */
  async post(post: CallbackPost): Promise<CallbackAnswer> {
    const { url, timeoutMs } = post;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      return await this.#exchange(post, signal);
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
    this.#http.destroy();
    this.#https.destroy();
  }

  async #exchange(post: CallbackPost, signal: AbortSignal): Promise<CallbackAnswer> {
    const request = this.#send(post, signal);
    try {
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      return { status: answer.statusCode ?? 0, body: await readAnswer(answer, post) };
    } catch (error) {
      // The other side gave up an idle connection at the very moment when it was to be used again.
      const isStale = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      if (isStale && !signal.aborted) return await this.#exchange(post, signal);
      throw error;
    } finally {
      if (!request.destroyed && !request.writableFinished) request.destroy();
    }
  }

  #send(post: CallbackPost, signal: AbortSignal): ClientRequest {
    const bare = withoutUserInfo(post.url);
    const headers = { ...this.#headersOf(post), 'content-length': Buffer.byteLength(post.body) };
    const request =
      bare.protocol === 'https:'
        ? httpsRequest(bare, { method: 'POST', headers, signal, agent: this.#https })
        : httpRequest(bare, { method: 'POST', headers, signal, agent: this.#http });
    // Whoever waits for the answer hears of errors; those that come later have no one left to hear them.
    request.on('error', () => undefined);
    request.end(post.body);
    return request;
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

async function readAnswer(
  answer: IncomingMessage,
  { url, maxAnswerBytes = MAX_ANSWER_BYTES }: CallbackPost,
): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxAnswerBytes) {
      const told = `${shownUrl(url)} answered with more than ${maxAnswerBytes} bytes; answer with less`;
      throw new CallbackError('answer-too-long', told);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
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
