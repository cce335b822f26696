import {
  type AudioCodec,
  type AudioTrackConfig,
  aacTrackConfig,
  buildOpusHead,
  opusTrackConfig,
  type Sample,
  sameTrackConfig,
  type TrackId,
} from '@sluice/media';
import type { StreamPath } from '../stream-path.js';
import type { StreamDescription } from './output.js';

/** Codecs into which sound is converted for outputs that can't carry the encoder's. */
export type SoundCodec = 'aac' | 'opus';

/** What an output can do with sound. */
export interface SoundNeeds {
  /** Into which codec it is converted. */
  readonly to: SoundCodec;
  /** Which codecs are to be converted. */
  readonly from: readonly AudioCodec[];
}

export interface SoundConversion {
  write(sample: Sample): void;
  close(): void;
}

/**
 * Begins to convert a track.
 *
 * @param emit takes samples in the new codec, on the same timeline
 * @returns undefined where nothing is there to convert it with
 */
export type ConvertSound = (options: {
  readonly config: AudioTrackConfig;
  readonly to: SoundCodec;
  readonly path: StreamPath;
  readonly emit: (sample: Sample) => void;
}) => SoundConversion | undefined;

interface Running {
  readonly source: AudioTrackConfig;
  readonly conversion: SoundConversion;
}

/** Converted tracks have numbers beyond those of any encoder's. */
const TRACK_OFFSET: Readonly<Record<SoundCodec, TrackId>> = { aac: 0x1_0000, opus: 0x2_0000 };
/** LC, 48 kHz, stereo: ISO 14496-3 §1.6.2.1. */
const AAC_CONFIG = Buffer.from([0x11, 0x90]);
const OPUS_HEAD = { channels: 2, preSkip: 312, inputSampleRate: 48_000 };

/** A stream's sound in codecs that its encoder doesn't send: once for all outputs, while one of them needs it. */
export class ConvertedSound {
  readonly #convert: ConvertSound;
  readonly #path: StreamPath;
  readonly #emit: (sample: Sample) => void;
  readonly #running = new Map<SoundCodec, Running>();
  #description: StreamDescription = { tracks: [], metadata: {} };

  /** @param emit takes the samples of converted tracks */
  constructor(convert: ConvertSound, path: StreamPath, emit: (sample: Sample) => void) {
    this.#convert = convert;
    this.#path = path;
    this.#emit = emit;
  }

  /** The stream's tracks from the next sample on. */
  configure(description: StreamDescription): void {
    this.#description = description;
    for (const [codec, { source }] of this.#running) {
      const now = description.tracks.find(({ track }) => track === source.track);
      if (now === undefined || !sameTrackConfig(now, source)) this.#stop(codec);
    }
  }

  /** The tracks as an output is to see them. What it needs is converted from then on. */
  descriptionFor(needs: SoundNeeds | undefined): StreamDescription {
    const description = this.#description;
    if (needs === undefined) return description;
    const source = description.tracks.find((config): config is AudioTrackConfig => config.kind === 'audio');
    if (source === undefined || !needs.from.includes(source.codec) || !this.#isRunning(source, needs.to)) {
      return description;
    }
    const converted = configOf(source, needs.to);
    return { ...description, tracks: description.tracks.map((config) => (config === source ? converted : config)) };
  }

  write(sample: Sample): void {
    for (const { source, conversion } of this.#running.values()) {
      if (source.track === sample.track) conversion.write(sample);
    }
  }

  /** Ends conversions that no output needs any more. */
  keepOnly(needed: ReadonlySet<SoundCodec>): void {
    for (const codec of this.#running.keys()) if (!needed.has(codec)) this.#stop(codec);
  }

  /** Begins all anew: what comes next doesn't continue what was. */
  discontinuity(): void {
    for (const [codec, { source }] of [...this.#running]) {
      this.#stop(codec);
      this.#isRunning(source, codec);
    }
  }

  close(): void {
    this.keepOnly(new Set());
  }

  #isRunning(source: AudioTrackConfig, to: SoundCodec): boolean {
    if (this.#running.has(to)) return true;
    const { track } = configOf(source, to);
    const emit = (sample: Sample) => this.#emit({ ...sample, track });
    const conversion = this.#convert({ config: source, to, path: this.#path, emit });
    if (conversion !== undefined) this.#running.set(to, { source, conversion });
    return conversion !== undefined;
  }

  #stop(codec: SoundCodec): void {
    this.#running.get(codec)?.conversion.close();
    this.#running.delete(codec);
  }
}

function configOf({ track }: AudioTrackConfig, to: SoundCodec): AudioTrackConfig {
  const own = track + TRACK_OFFSET[to];
  return to === 'aac' ? aacTrackConfig(own, AAC_CONFIG) : opusTrackConfig(own, buildOpusHead(OPUS_HEAD));
}
