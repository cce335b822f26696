import { PictureLook } from './picture-look.js';
import { KEYFRAME, KIND, type Uplink } from './uplink.js';

/** What `tab-capture.ts` asks for. */
export interface PictureOptions {
  readonly width: number;
  readonly height: number;
  /** Pictures a second, at most and at least: a page that stands still is repeated. */
  readonly fps: number;
  readonly minFps: number;
  readonly bitsPerSecond: number;
  /** RFC 6381, in the order of preference. */
  readonly codecs: readonly string[];
  readonly keyframeSeconds: number;
}

const LOOK_MS = 1000;
/** Pictures that wait for the encoder: beyond it they are left out, for late is worse than fewer. */
const MOST_QUEUED = 2;

/** Encodes the pictures of a captured tab. */
export class PictureTrack {
  readonly #uplink: Uplink;
  readonly #options: PictureOptions;
  readonly #encoder: VideoEncoder;
  readonly #look: PictureLook;
  #last: VideoFrame | undefined;
  #lastSent = -1;
  #lastArrival = 0;
  #captured = 0;
  #skipped = 0;
  #lastKeyframe = Number.NEGATIVE_INFINITY;
  #lastLook = Number.NEGATIVE_INFINITY;
  #wantsKeyframe = true;

  private constructor(uplink: Uplink, options: PictureOptions, config: VideoEncoderConfig) {
    this.#uplink = uplink;
    this.#options = options;
    this.#look = new PictureLook(uplink);
    this.#encoder = new VideoEncoder({
      output: (chunk, metadata) => this.#encoded(chunk, metadata),
      error: (error) => uplink.say(KIND.ended, `the encoder failed: ${error.message}`),
    });
    this.#encoder.configure(config);
  }

  /** @throws where the browser encodes none of the codecs at that size */
  static async start(track: MediaStreamTrack, uplink: Uplink, options: PictureOptions): Promise<void> {
    const pictures = new PictureTrack(uplink, options, await usableConfig(options));
    // A `min` inside getDisplayMedia is refused; here it keeps a page that stands still coming.
    await track.applyConstraints({ frameRate: { min: options.minFps, max: options.fps } });
    const repeat = setInterval(() => pictures.#repeat(), 1000 / options.minFps);
    pictures
      .#read(track)
      .catch((error: unknown) => uplink.say(KIND.ended, `the picture can't be read: ${error}`))
      .finally(() => clearInterval(repeat));
  }

  async #read(track: MediaStreamTrack): Promise<void> {
    const reader = new MediaStreamTrackProcessor<VideoFrame>({ track, maxBufferSize: 2 }).readable.getReader();
    for (;;) {
      const { value: frame, done } = await reader.read();
      if (done) break;
      this.#captured += 1;
      this.#lastArrival = performance.now();
      this.#last?.close();
      this.#last = frame;
      this.#encode(frame);
    }
    this.#uplink.say(KIND.ended, 'the picture of the tab has ended');
  }

  #repeat(): void {
    const since = performance.now() - this.#lastArrival;
    if (this.#last === undefined || since < 1000 / this.#options.minFps) return;
    const again = new VideoFrame(this.#last, { timestamp: Math.round(this.#last.timestamp + since * 1000) });
    this.#encode(again);
    again.close();
  }

  #encode(frame: VideoFrame): void {
    const now = performance.now();
    if (frame.timestamp <= this.#lastSent || this.#encoder.state !== 'configured') return;
    if (now - this.#lastLook >= LOOK_MS) {
      this.#lastLook = now;
      this.#look.look(frame, this.#captured, this.#skipped);
    }
    if (this.#uplink.isBehind) this.#wantsKeyframe = true;
    if (this.#encoder.encodeQueueSize > MOST_QUEUED || this.#uplink.isBehind) {
      this.#skipped += 1;
      return;
    }
    const keyFrame = this.#wantsKeyframe || now - this.#lastKeyframe >= this.#options.keyframeSeconds * 1000 - 5;
    if (keyFrame) {
      this.#lastKeyframe = now;
      this.#wantsKeyframe = false;
    }
    this.#lastSent = frame.timestamp;
    this.#encoder.encode(frame, { keyFrame });
  }

  #encoded(chunk: EncodedVideoChunk, metadata: EncodedVideoChunkMetadata | undefined): void {
    const description = metadata?.decoderConfig?.description;
    if (description !== undefined) this.#uplink.send(KIND.config, 0, chunk.timestamp, bytesOf(description));
    const bytes = new Uint8Array(chunk.byteLength);
    chunk.copyTo(bytes);
    this.#uplink.send(KIND.picture, chunk.type === 'key' ? KEYFRAME : 0, chunk.timestamp, bytes);
  }
}

async function usableConfig(options: PictureOptions): Promise<VideoEncoderConfig> {
  for (const codec of options.codecs) {
    const config: VideoEncoderConfig = {
      codec,
      width: options.width,
      height: options.height,
      bitrate: options.bitsPerSecond,
      bitrateMode: 'variable',
      framerate: options.fps,
      latencyMode: 'realtime',
      avc: { format: 'avc' },
    };
    const { supported } = await VideoEncoder.isConfigSupported(config);
    if (supported === true) return config;
  }
  throw new Error(
    `no-encoder: the browser encodes none of ${options.codecs.join(', ')} at ${options.width}x${options.height}`,
  );
}

function bytesOf(source: AllowSharedBufferSource): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}
