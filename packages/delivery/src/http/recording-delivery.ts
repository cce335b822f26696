import { type Clock, type Doorkeeper, type Logger, parseStreamPath, type RecordingPlayback } from '@sluice/core';
import { SharedText, TextPiece } from '../hls/shared-text.js';
import { type KnownViewer, SESSION_PARAMETER, ViewerSessions } from '../segments/viewer-sessions.js';
import { type MediaRequest, playRequestOf } from './media-request.js';
import type { NodeResponse } from './media-response.js';
import { RecordingDownloads } from './recording-downloads.js';
import { sendRecordingError } from './recording-errors.js';
import { listedSpans, timelineJson } from './recording-list.js';
import type { RecordingRoute } from './recording-route.js';
import { BadQuery, rangeOf } from './recording-time.js';
import { sendError, sendJson } from './responses.js';
import { sendResource } from './send-resource.js';
import { storyboardTrack } from './storyboard-track.js';

export interface RecordingDeliveryOptions {
  readonly gate: Doorkeeper;
  readonly clock: Clock;
  readonly playback: RecordingPlayback;
  readonly log: Logger;
}

const PLAYLIST = 'application/vnd.apple.mpegurl';
/** Pictures of a file that doesn't change don't either; they are small, and made again at some cost. */
const PICTURE_SECONDS = 86_400;
const MOST_AT_MS = 10 ** 12;

/**
 * Serves what was recorded to those who may watch the stream: lists, clips, whole files, HLS of any time, and pictures.
 * Who asks for playlists, segments, lists and pictures is one session, as with live HLS.
 */
export class RecordingDelivery {
  readonly #playback: RecordingPlayback;
  readonly #sessions: ViewerSessions;
  readonly #downloads: RecordingDownloads;
  readonly #log: Logger;

  constructor({ gate, clock, playback, log }: RecordingDeliveryOptions) {
    this.#playback = playback;
    this.#sessions = new ViewerSessions({ gate, clock });
    this.#downloads = new RecordingDownloads({ gate, playback });
    this.#log = log;
  }

  async serve(request: MediaRequest, response: NodeResponse, route: RecordingRoute): Promise<void> {
    try {
      await this.#serve(request, response, route);
    } catch (error) {
      sendRecordingError(response, error, this.#log);
    }
  }

  /** Ends the sessions; downloads end with their connections. */
  close(reason: string): void {
    this.#sessions.close(reason);
  }

  async #serve(request: MediaRequest, response: NodeResponse, route: RecordingRoute): Promise<void> {
    switch (route.kind) {
      case 'list':
        return this.#list(request, response);
      case 'clip':
        return this.#downloads.clip(request, response);
      case 'file':
        return this.#downloads.file(request, response, route);
      case 'timeline':
        return this.#timeline(request, response, route.path);
      case 'playlist':
        return this.#playlist(request, response, route.path);
      case 'segment':
        return this.#segment(request, response, route);
      case 'picture':
        return this.#picture(request, response, route);
      case 'storyboard':
        return this.#storyboard(request, response, route);
      case 'nothing':
        sendError(response, 404, 'not-recorded', 'there is no such recording');
    }
  }

  async #list(request: MediaRequest, response: NodeResponse): Promise<void> {
    const text = request.query.get('path') ?? '';
    const range = rangeOf(request.query);
    const { session } = await this.#enter(request, text);
    const { spans } = await this.#playback.timeline(session.path, range);
    if (spans.length === 0) sendError(response, 404, 'not-recorded', `nothing of ${session.path} is recorded then`);
    else sendJson(response, 200, listedSpans(session.path, spans, originOf(request)));
  }

  async #timeline(request: MediaRequest, response: NodeResponse, text: string): Promise<void> {
    const range = rangeOf(request.query);
    const { session } = await this.#enter(request, text);
    sendJson(response, 200, timelineJson(session.path, await this.#playback.timeline(session.path, range)));
  }

  async #playlist(request: MediaRequest, response: NodeResponse, text: string): Promise<void> {
    const range = rangeOf(request.query);
    const viewer = await this.#enter(request, text);
    const playlist = await this.#playback.playlist(viewer.session.path, range);
    const { key } = viewer;
    const accepted = String(request.message.headers['accept-encoding'] ?? '');
    // What is zipped together with a secret gives it away by its length.
    const isZipped = key === undefined && /\bgzip\b/.test(accepted);
    const whole = Buffer.from(key === undefined ? playlist : withSession(playlist, key));
    const body = isZipped ? Buffer.concat(new SharedText([new TextPiece(playlist)]).gzip) : whole;
    response.writeHead(200, {
      'Content-Type': PLAYLIST,
      'Content-Length': body.length,
      'Cache-Control': key === undefined ? 'no-cache' : 'private, no-store',
      Vary: 'Accept-Encoding',
      ...(isZipped ? { 'Content-Encoding': 'gzip' } : {}),
    });
    response.end(request.message.method === 'HEAD' ? Buffer.alloc(0) : body);
  }

  async #segment(
    request: MediaRequest,
    response: NodeResponse,
    { path, name }: { path: string; name: string },
  ): Promise<void> {
    const viewer = await this.#enter(request, path);
    const { type, size = 0, etag, read } = await this.#playback.segment(viewer.session.path, name);
    const headers = {
      'Content-Type': type,
      'Cache-Control': `${audienceOf(viewer)}, max-age=3600, immutable`,
      ...(etag === undefined ? {} : { ETag: etag }),
    };
    this.#sessions.sent(viewer, await sendResource(request.message, response, { size, read }, headers));
  }

  async #picture(
    request: MediaRequest,
    response: NodeResponse,
    { path, id }: { path: string; id: string },
  ): Promise<void> {
    const at = placeOf(request.query.get('at') ?? '0');
    const viewer = await this.#enter(request, path);
    const jpeg = await this.#playback.picture(viewer.session.path, id, at);
    await this.#sendPicture(request, response, viewer, jpeg);
  }

  async #storyboard(
    request: MediaRequest,
    response: NodeResponse,
    { path, id, form }: { path: string; id: string; form: 'vtt' | 'jpg' },
  ): Promise<void> {
    const viewer = await this.#enter(request, path);
    const board = await this.#playback.storyboard(viewer.session.path, id);
    if (form === 'jpg') {
      await this.#sendPicture(request, response, viewer, board.jpeg);
      return;
    }
    const parameter = viewer.key === undefined ? '' : `?${SESSION_PARAMETER}=${viewer.key}`;
    const bytes = Buffer.from(storyboardTrack(board, `${id}.storyboard.jpg${parameter}`));
    const headers = { 'Content-Type': 'text/vtt; charset=utf-8', 'Cache-Control': 'private, no-cache' };
    this.#sessions.sent(viewer, await sendResource(request.message, response, { bytes }, headers));
  }

  async #sendPicture(request: MediaRequest, response: NodeResponse, viewer: KnownViewer, bytes: Buffer): Promise<void> {
    const headers = {
      'Content-Type': 'image/jpeg',
      'Cache-Control': `${audienceOf(viewer)}, max-age=${PICTURE_SECONDS}`,
    };
    this.#sessions.sent(viewer, await sendResource(request.message, response, { bytes }, headers));
  }

  #enter(request: MediaRequest, path: string): Promise<KnownViewer> {
    parseStreamPath(path);
    const asked = playRequestOf(request, 'recording', path);
    return this.#sessions.enter(asked, request.query.get(SESSION_PARAMETER) ?? undefined);
  }
}

const audienceOf = ({ key }: KnownViewer): string => (key === undefined ? 'public' : 'private');

/** A place in a file in seconds, in ms. @throws {BadQuery} */
function placeOf(text: string): number {
  const at = /^\d{1,9}(?:\.\d{1,6})?$/.test(text) ? Number(text) * 1000 : Number.NaN;
  if (at <= MOST_AT_MS) return at;
  throw new BadQuery(
    'bad-time',
    `at=${text.slice(0, 40)} is no place in a file; write seconds from its beginning, as in 12.5`,
  );
}

/** As the client knows this server. */
function originOf({ message }: MediaRequest): string {
  const { host, ':authority': authority, 'x-forwarded-proto': forwarded } = message.headers;
  const isSecure = 'encrypted' in message.socket || forwarded === 'https';
  return `${isSecure ? 'https' : 'http'}://${String(authority ?? host ?? 'localhost')}`;
}

/** Lines that are no tag and no comment are URIs, RFC 8216 §4.1; tags have theirs in an attribute. */
function withSession(playlist: string, key: string): string {
  return playlist.replace(/^(?!#).+$|(?<=URI=")[^"]+/gm, (uri) => `${uri}?${SESSION_PARAMETER}=${key}`);
}
