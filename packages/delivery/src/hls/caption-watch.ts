import { captionsIn, MediaError, type Micros, microsFromSeconds, type Sample, type TrackConfig } from '@sluice/media';

/** A stream whose pictures have had no place for captions for so long has none: encoders put one in each picture. */
const LOOKED_LONG_ENOUGH = microsFromSeconds(10);

/** Finds out which captions a stream has, from its pictures. */
export class CaptionWatch {
  /** The track to look at, where its pictures can be read. */
  #video: { readonly track: number; readonly codec: 'h264' | 'hevc' } | undefined;
  /** There are no pictures, and so no captions. */
  #isSound = false;
  readonly #cea608 = new Set<string>();
  readonly #cea708 = new Set<number>();
  #hasPlace = false;
  #since: Micros | undefined;
  #looked = 0;

  /**
   * What they are called by `INSTREAM-ID`, RFC 8216 §4.3.4.1: `CC1` to `CC4`, and `SERVICE1` to `SERVICE63`. Empty where
   * there are none; undefined where that isn't known: too little was seen, nobody has spoken yet, or the pictures are of
   * a codec that isn't looked into.
   */
  get services(): readonly string[] | undefined {
    const services = [...this.#cea708].sort((a, b) => a - b).map((number) => `SERVICE${number}`);
    const found = [...[...this.#cea608].sort(), ...services];
    if (found.length > 0 || this.#isSound) return found;
    const isSure = this.#video !== undefined && !this.#hasPlace && this.#looked >= LOOKED_LONG_ENOUGH;
    return isSure ? [] : undefined;
  }

  configure(tracks: readonly TrackConfig[]): void {
    const video = tracks.find(({ kind }) => kind === 'video');
    this.#isSound = tracks.length > 0 && video === undefined;
    const codec = video?.codec === 'h264' || video?.codec === 'hevc' ? video.codec : undefined;
    if (codec !== undefined && video?.track === this.#video?.track && codec === this.#video?.codec) return;
    this.#video = video === undefined || codec === undefined ? undefined : { track: video.track, codec };
    this.#since = undefined;
    this.#looked = 0;
  }

  /** Looks at a sample, if it is a picture. What can't be read tells nothing. */
  sample(sample: Sample): void {
    if (sample.track !== this.#video?.track) return;
    this.#since ??= sample.dts;
    this.#looked = sample.dts - this.#since;
    try {
      const { isPresent, cea608, cea708 } = captionsIn(sample, this.#video.codec);
      if (!isPresent) return;
      this.#hasPlace = true;
      for (const [channel, isUsed] of Object.entries(cea608)) if (isUsed) this.#cea608.add(channel);
      for (const service of cea708) this.#cea708.add(service);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
    }
  }
}
