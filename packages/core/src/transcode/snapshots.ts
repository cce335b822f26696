import type { Millis, Sample, VideoTrackConfig } from '@sluice/media';
import { messageOf, Refusal } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Stream } from '../streams/stream.js';
import { NO_FFMPEG } from './no-ffmpeg.js';
import { PictureMaker, type PictureMakerOptions } from './picture-maker.js';

/** A picture of a stream. */
export interface Snapshot {
  readonly jpeg: Buffer;
  /** When it was live, in wall time. */
  readonly at: Millis;
}

/** What is asked of a stream. */
type Pictured = Pick<Stream, 'path' | 'keyframe' | 'wallTimeOf'>;

export interface SnapshotsOptions extends PictureMakerOptions {
  /** How often a stream's picture is made anew, at most. */
  readonly seconds: () => number;
  /** Monotonic. */
  readonly now: () => Millis;
  readonly log: Logger;
}

interface Made {
  readonly at: Millis;
  readonly snapshot: Promise<Snapshot>;
}

const SHAPE = { filter: "scale=w='min(1280,iw)':h=-2", quality: 4 };

/** Makes pictures of streams: the newest keyframe as JPEG, at most one every few seconds, shared by all who ask. */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  readonly #made = new WeakMap<Pictured, Made>();
  readonly #maker: PictureMaker;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
    this.#maker = new PictureMaker(options);
  }

  /**
   * The picture of a stream.
   *
   * @throws {Refusal} `unavailable`: there is no ffmpeg, or no picture that it can read, or too many wait already
   */
  of(stream: Pictured): Promise<Snapshot> {
    const { now, seconds, program } = this.#options;
    if (program === undefined) return Promise.reject(new Refusal('unavailable', `no picture: ${NO_FFMPEG}`));
    const known = this.#made.get(stream);
    if (known !== undefined && now() - known.at < seconds() * 1000) return known.snapshot;
    const { keyframe } = stream;
    if (keyframe === undefined) {
      return Promise.reject(new Refusal('unavailable', `${stream.path} has no keyframe to make a picture of`));
    }
    const snapshot = this.#make(stream, keyframe);
    // What failed is remembered as long: asking again and again costs nothing then.
    snapshot.catch(() => undefined);
    this.#made.set(stream, { at: now(), snapshot });
    return snapshot;
  }

  async #make(stream: Pictured, { config, sample }: { config: VideoTrackConfig; sample: Sample }): Promise<Snapshot> {
    const at = stream.wallTimeOf(sample.dts);
    try {
      return { jpeg: await this.#maker.make(config, [sample], SHAPE), at };
    } catch (error) {
      if (error instanceof Refusal) throw error;
      this.#options.log.warn({ path: stream.path, detail: messageOf(error) }, 'a picture of a stream can not be made');
      throw new Refusal('unavailable', `no picture can be made of ${stream.path}`, { cause: error });
    }
  }
}
