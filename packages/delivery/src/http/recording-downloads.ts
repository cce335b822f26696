import {
  type Admission,
  type Doorkeeper,
  parseStreamPath,
  type RecordedClip,
  type RecordedContent,
  RecordingError,
  type RecordingPlayback,
} from '@sluice/core';
import { type MediaRequest, playRequestOf } from './media-request.js';
import type { NodeResponse } from './media-response.js';
import { seconds, timeText } from './recording-list.js';
import { BadQuery, rangeOf } from './recording-time.js';
import { sendPieces, sendResource } from './send-resource.js';

/** What players on other pages may read of a clip. */
const EXPOSED = 'Sluice-Clip-Start, Sluice-Clip-Duration, Sluice-Clip-Missing, Sluice-Clip-Ends, Content-Range, ETag';

/** Gives out whole files and clips. Each download is a session of its own, which can be listed and ended. */
export class RecordingDownloads {
  readonly #gate: Doorkeeper;
  readonly #playback: RecordingPlayback;

  constructor(options: { gate: Doorkeeper; playback: RecordingPlayback }) {
    this.#gate = options.gate;
    this.#playback = options.playback;
  }

  /** `/get?path=…&start=…&duration=…&format=…` @throws {Refusal} @throws {RecordingError} @throws {BadQuery} */
  async clip(request: MediaRequest, response: NodeResponse): Promise<void> {
    const { query, message } = request;
    const path = query.get('path') ?? '';
    const format = query.get('format') ?? 'fmp4';
    if (format !== 'mp4' && format !== 'fmp4')
      throw new BadQuery('bad-format', `format=${format.slice(0, 20)}: mp4 or fmp4 are possible`);
    const { from, to } = rangeOf(query);
    if (from === undefined || to === undefined)
      throw new BadQuery('bad-time', 'give start and duration, as /list tells them');
    await this.#serve(request, response, path, async (admission, count) => {
      const clip = await this.#playback.clip({ path: admission.session.path, range: { from, to }, format });
      const headers = headersOf(clip, admission, placeOf(query), `${nameOf(path, clip.start)}.mp4`);
      if (clip.size !== undefined) {
        await sendResource(message, response, { size: clip.size, read: counted(clip, count) }, headers);
        return;
      }
      response.writeHead(200, { ...headers, 'Accept-Ranges': 'none' });
      if (message.method === 'HEAD') response.end();
      else await sendPieces(counted(clip, count)(0, Number.POSITIVE_INFINITY), response);
    });
  }

  /** `/{path}/recordings/{id}.{extension}` @throws {Refusal} @throws {RecordingError} */
  async file(
    request: MediaRequest,
    response: NodeResponse,
    { path, id, extension }: { path: string; id: string; extension: string },
  ): Promise<void> {
    await this.#serve(request, response, path, async (admission, count) => {
      const found = await this.#playback.file(parseStreamPath(path), id);
      if (found.kind === 'elsewhere') {
        response.writeHead(302, { Location: found.url, 'Cache-Control': 'no-store', 'Content-Length': 0 });
        response.end();
        return;
      }
      const { file, content } = found;
      if (file.container !== extension) {
        throw new RecordingError('not-recorded', `${id} is recorded as ${file.container}, not as ${extension}`);
      }
      const name = `${nameOf(path, file.startedAt)}.${extension}`;
      const headers = headersOf(content, admission, placeOf(request.query), name);
      const { size = 0 } = content;
      await sendResource(request.message, response, { size, read: counted(content, count) }, headers);
    });
  }

  async #serve(
    request: MediaRequest,
    response: NodeResponse,
    path: string,
    send: (admission: Admission, count: (bytes: number) => void) => Promise<void>,
  ): Promise<void> {
    const admission = await this.#gate.admit(playRequestOf(request, 'recording', path));
    let sent = 0;
    admission.bind({ cut: () => response.destroy(), traffic: () => ({ received: 0, sent }) });
    try {
      await send(admission, (bytes) => {
        sent += bytes;
      });
    } finally {
      admission.close('the download is over');
    }
  }
}

/** Pages of another origin can't tell the browser by themselves that a link is one to keep: `?download` does. */
function placeOf(query: URLSearchParams): 'inline' | 'attachment' {
  return query.has('download') ? 'attachment' : 'inline';
}

function headersOf(
  content: RecordedContent | RecordedClip,
  { session }: Admission,
  place: 'inline' | 'attachment',
  name: string,
): Record<string, string> {
  const { type, etag } = content;
  const audience = session.identity.kind === 'anonymous' ? 'public' : 'private';
  return {
    'Content-Type': type,
    'Content-Disposition': `${place}; filename="${name}"`,
    'Cache-Control': etag === undefined ? 'no-store' : `${audience}, no-cache`,
    'X-Content-Type-Options': 'nosniff',
    ...(etag === undefined ? {} : { ETag: etag }),
    ...('ends' in content ? clipHeaders(content) : {}),
  };
}

/** What a clip is, since it begins at a keyframe and may end early. */
function clipHeaders({ start, duration, missing, ends }: RecordedClip): Record<string, string> {
  return {
    'Sluice-Clip-Start': timeText(start),
    'Sluice-Clip-Duration': String(seconds(duration)),
    'Sluice-Clip-Missing': String(seconds(missing)),
    'Sluice-Clip-Ends': ends,
    'Access-Control-Expose-Headers': EXPOSED,
  };
}

/** `live-show-20261121T100000Z`: a checked path has nothing in it that a header or a file system minds. */
function nameOf(path: string, start: number): string {
  return `${path.replaceAll('/', '-')}-${timeText(start).replace(/\.\d+|[-:]/g, '')}`;
}

function counted({ read }: RecordedContent, count: (bytes: number) => void) {
  return async function* (start: number, end: number): AsyncGenerator<Buffer> {
    for await (const piece of read(start, end)) {
      count(piece.length);
      yield piece;
    }
  };
}
