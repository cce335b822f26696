import { get, type IncomingMessage } from 'node:http';
import { FlvDemuxer, FlvSampleReader, Fmp4Reader, type MediaEvent, type Sample, TsDemuxer } from '@sluice/media';
import { RtmpClient } from '@sluice/rtmp';
import { WebSocket } from 'ws';

/** What a viewer has got so far. */
export interface TestViewer {
  readonly samples: readonly Sample[];
  readonly events: readonly MediaEvent[];
  /** Whether the server or the network has ended it. */
  readonly ended: boolean;
  leave(): Promise<void>;
}

class Recorder implements TestViewer {
  readonly events: MediaEvent[] = [];
  readonly samples: Sample[] = [];
  ended = false;
  leave: () => Promise<void> = () => Promise.resolve();

  add(events: readonly MediaEvent[]): void {
    for (const event of events) {
      this.events.push(event);
      if (event.type === 'sample') this.samples.push(event.sample);
    }
  }
}

export async function rtmpViewer(url: string): Promise<TestViewer> {
  const recorder = new Recorder();
  const reader = new FlvSampleReader();
  const client = await RtmpClient.connect(url, {
    timeoutMs: 20_000,
    onClose: () => {
      recorder.ended = true;
    },
  });
  await client.play((message) => recorder.add(reader.read(message.type, message.timestamp, message.payload)));
  recorder.leave = () => client.close();
  return recorder;
}

export function httpFlvViewer(url: string): Promise<TestViewer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response: IncomingMessage) => {
      if (response.statusCode !== 200) {
        response.resume();
        reject(new Error(`HTTP ${response.statusCode}`));
        return;
      }
      const recorder = new Recorder();
      const demuxer = new FlvDemuxer();
      response.on('data', (bytes: Buffer) => recorder.add(demuxer.push(bytes)));
      response.on('error', () => undefined);
      response.on('close', () => {
        recorder.ended = true;
      });
      recorder.leave = async () => void request.destroy();
      resolve(recorder);
    });
    request.on('error', reject);
  });
}

export function webSocketViewer(url: string): Promise<TestViewer> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const recorder = new Recorder();
    const demuxer = new FlvDemuxer();
    socket.on('message', (bytes: Buffer) => recorder.add(demuxer.push(bytes)));
    socket.on('open', () => resolve(recorder));
    socket.on('error', reject);
    socket.on('close', () => {
      recorder.ended = true;
    });
    recorder.leave = async () => socket.close();
  });
}

interface ListedSegment {
  readonly url: string;
  readonly duration: number;
  readonly discontinuity: boolean;
  /** Of its init segment, where it needs one. */
  readonly init: string | undefined;
}

/** A media playlist, as far as tests look at it. */
export interface Playlist {
  readonly targetDuration: number;
  readonly mediaSequence: number;
  readonly ended: boolean;
  readonly segments: readonly ListedSegment[];
}

export function parsePlaylist(text: string, base: string): Playlist {
  const tag = (name: string) => new RegExp(`^#${name}:(.*)$`, 'm').exec(text)?.[1];
  const segments: ListedSegment[] = [];
  let discontinuity = false;
  let duration = 0;
  let init: string | undefined;
  for (const line of text.split('\n')) {
    const [, map] = /^#EXT-X-MAP:URI="([^"]+)"/.exec(line) ?? [];
    if (map !== undefined) init = new URL(map, base).href;
    if (line === '#EXT-X-DISCONTINUITY') discontinuity = true;
    else if (line.startsWith('#EXTINF:')) duration = Number.parseFloat(line.slice('#EXTINF:'.length));
    else if (line !== '' && !line.startsWith('#')) {
      segments.push({ url: new URL(line, base).href, duration, discontinuity, init });
      discontinuity = false;
    }
  }
  return {
    targetDuration: Number(tag('EXT-X-TARGETDURATION')),
    mediaSequence: Number(tag('EXT-X-MEDIA-SEQUENCE')),
    ended: text.includes('#EXT-X-ENDLIST'),
    segments,
  };
}

/** Follows a playlist and reads each segment once. */
export class HlsViewer implements TestViewer {
  readonly samples: Sample[] = [];
  readonly events: MediaEvent[] = [];
  readonly playlists: Playlist[] = [];
  readonly segments: ListedSegment[] = [];
  ended = false;
  readonly #url: string;
  readonly #running: Promise<void>;
  #left = false;

  constructor(url: string) {
    this.#url = url;
    this.#running = this.#follow();
  }

  async leave(): Promise<void> {
    this.#left = true;
    await this.#running;
  }

  async #follow(): Promise<void> {
    while (!this.#left && !this.ended) {
      const response = await fetch(this.#url);
      if (response.ok) await this.#readNew(parsePlaylist(await response.text(), this.#url));
      else await response.body?.cancel();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #readNew(playlist: Playlist): Promise<void> {
    this.playlists.push(playlist);
    for (const segment of playlist.segments) {
      if (this.segments.some(({ url }) => url === segment.url)) continue;
      this.segments.push(segment);
      const bytes = await bytesOf(segment.url);
      const init = segment.init === undefined ? undefined : await bytesOf(segment.init);
      for (const event of init === undefined
        ? eventsOfTs(bytes)
        : new Fmp4Reader().push(Buffer.concat([init, bytes]))) {
        if (event.type === 'sample') this.samples.push(event.sample);
        if (event.type !== 'unsupported-track') this.events.push(event);
      }
    }
    this.ended = playlist.ended;
  }
}

async function bytesOf(url: string): Promise<Buffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

function eventsOfTs(bytes: Buffer): MediaEvent[] {
  const demuxer = new TsDemuxer();
  return [...demuxer.push(bytes), ...demuxer.flush()].flatMap((event): MediaEvent[] =>
    event.type === 'discontinuity' || event.type === 'unsupported-track' ? [] : [event],
  );
}
