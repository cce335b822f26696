import { Refusal } from '@sluice/core';
import { WebRtcError } from '@sluice/webrtc';
import { z } from 'zod';
import { accessRequestOf, type MediaRequest } from '../media-request.js';
import type { MediaResponse } from '../media-response.js';
import { sendJson, statusOfRefusal } from '../responses.js';
import { BodyError, readBody } from './sdp-body.js';
import type { SdpHandlers } from './sdp-handler.js';
import { announcedBy } from './sdp-route.js';

const question = z.object({ sdp: z.string(), streamurl: z.string() });

/** Offer and answer in JSON, as players and publishers made for SRS send them: every answer is 200, and has a `code`. */
export class LegacyRtc {
  readonly #handlers: SdpHandlers;

  constructor(handlers: SdpHandlers) {
    this.#handlers = handlers;
  }

  async serve(request: MediaRequest, response: MediaResponse, action: 'publish' | 'play'): Promise<void> {
    try {
      const { sdp, streamurl } = readQuestion(await readBody(request.message));
      const { path, query } = streamOf(streamurl, request.query);
      const asked = accessRequestOf({ ...request, query }, action, 'webrtc', path);
      const peer = await this.#handlers[action].offer(sdp, asked, announcedBy(query));
      const { id, answer } = peer;
      sendJson(response, 200, { code: 0, server: 'sluice', service: 'sluice', pid: '', sdp: answer, sessionid: id });
    } catch (error) {
      const told = failureOf(error);
      if (told === undefined) throw error;
      sendJson(response, 200, told);
    }
  }
}

/** What a client is told of a failure. @returns undefined for what isn't the client's doing */
function failureOf(error: unknown): { readonly code: number; readonly error: string } | undefined {
  if (error instanceof BodyError) return { code: error.status, error: error.message };
  if (error instanceof WebRtcError) return { code: 400, error: error.message };
  if (error instanceof Refusal) return { code: statusOfRefusal(error), error: error.message };
  return undefined;
}

function readQuestion(text: string): z.output<typeof question> {
  try {
    return question.parse(JSON.parse(text));
  } catch {
    throw new BodyError(400, 'send JSON with `sdp` and `streamurl`');
  }
}

/** `webrtc://host/app/stream?token=…`, and as any other scheme. The URL's parameters count beside the request's. */
function streamOf(streamUrl: string, asked: URLSearchParams): { path: string; query: URLSearchParams } {
  const [, rest] = /^[a-z][a-z0-9+.-]*:\/\/[^/]*\/(.*)$/i.exec(streamUrl) ?? [];
  if (rest === undefined) throw new BodyError(400, 'write streamurl as webrtc://host/app/stream');
  const [path = '', text = ''] = rest.split('?', 2);
  const query = new URLSearchParams(text);
  for (const [key, value] of asked) if (!query.has(key)) query.append(key, value);
  return { path: path.replace(/\.(?:flv|m3u8|sdp)$/i, ''), query };
}
