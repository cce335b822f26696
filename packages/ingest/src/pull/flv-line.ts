import { get as getHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { get as getHttps } from 'node:https';
import { messageOf, plainAddress } from '@sluice/core';
import { FlvTagParser } from '@sluice/media';
import { FlvMessages } from './flv-messages.js';
import { EarlyEvents, type OpenPullLine, OriginRefusal, type PullLine } from './pull-line.js';

const TIMEOUT_MS = 15_000;
const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Takes an endless FLV file from an HTTP server. */
export const openFlvLine: OpenPullLine = async (url, signal) => lineOf(await follow(new URL(url.reveal()), signal));

/** Servers that share their load send those who ask to another one. */
async function follow(url: URL, signal: AbortSignal, redirects = 0): Promise<IncomingMessage> {
  const response = await ask(url, signal);
  const { statusCode = 0, headers } = response;
  if (statusCode === 200) return response;
  response.destroy();
  if (!REDIRECTS.has(statusCode) || headers.location === undefined) throw faultOf(statusCode);
  const next = URL.canParse(headers.location, url.href) ? new URL(headers.location, url) : undefined;
  const isPossible = next !== undefined && (next.protocol === url.protocol || next.protocol === 'https:');
  if (!isPossible) throw new Error('the origin redirects to where no FLV can be had over HTTP');
  if (redirects === MOST_REDIRECTS) throw new Error(`the origin redirects more than ${MOST_REDIRECTS} times`);
  return follow(next, signal, redirects + 1);
}

function ask(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const get = url.protocol === 'https:' ? getHttps : getHttp;
    const options: RequestOptions = { signal, agent: false, headers: { Accept: 'video/x-flv, */*' } };
    const request = get(url, options, resolve);
    request.setTimeout(TIMEOUT_MS, () => request.destroy(new Error(`the origin did not answer in ${TIMEOUT_MS} ms`)));
    request.on('error', reject);
  });
}

function faultOf(status: number): Error {
  const message = `the origin answers with HTTP ${status}`;
  if (status === 401 || status === 403) return new OriginRefusal('denied', message);
  if (status === 404 || status === 410) return new OriginRefusal('not-found', message);
  return new Error(message);
}

function lineOf(response: IncomingMessage): PullLine {
  const { socket } = response;
  // From here on, silence is the matter of whoever reads.
  socket.setTimeout(0);
  const tags = new FlvTagParser();
  const messages = new FlvMessages();
  const early = new EarlyEvents();
  const close = (reason: string) => {
    early.over(reason);
    response.destroy();
  };
  response.on('error', (error) => early.over(messageOf(error)));
  response.on('close', () => early.over('the origin has ended the stream'));
  return {
    protocol: 'http-flv',
    address: plainAddress(socket.remoteAddress ?? ''),
    get received() {
      return socket.bytesRead;
    },
    run: (sink) => {
      early.run(sink);
      response.on('data', (bytes: Buffer) => {
        try {
          for (const { type, timestamp, body } of tags.push(bytes)) early.events(messages.read(type, timestamp, body));
        } catch (error) {
          close(messageOf(error));
        }
      });
    },
    close,
  };
}
