import { type Micros, micros, type Sample, type TimedMetadata, TsMuxer } from '@sluice/media';
import { mediaFault } from './media-fault.js';
import { type ContainerFormat, gather, type MuxerOptions, type RecordingMuxer } from './muxer.js';

/** MPEG-TS, with its tables before each place where a player may begin. */
export const tsFormat: ContainerFormat = {
  refusalFor: (config) => mediaFault(() => new TsMuxer([config])),
  open: (options) => new TsFileMuxer(options),
};

/** Of sound alone, tables come so often. */
const TABLES_INTERVAL = 500_000;

class TsFileMuxer implements RecordingMuxer {
  readonly reserve = undefined;
  readonly #muxer: TsMuxer;
  readonly #hasVideo: boolean;
  #packets: Buffer[] = [];
  #waiting = 0;
  #start: Micros | undefined;
  #lastTables = Number.NEGATIVE_INFINITY;

  constructor({ tracks }: MuxerOptions) {
    this.#muxer = new TsMuxer(tracks);
    this.#hasVideo = tracks.some(({ kind }) => kind === 'video');
  }

  get waiting(): number {
    return this.#waiting;
  }

  sample(sample: Sample): void {
    this.#start ??= sample.dts;
    const packets = this.#muxer.sample({ ...sample, dts: this.#placed(sample.dts), pts: this.#placed(sample.pts) });
    if (this.#isPlaceForTables(sample)) {
      this.#lastTables = sample.dts;
      this.#push(this.#muxer.tables());
    }
    this.#push(packets);
  }

  timedMetadata(metadata: TimedMetadata): void {
    this.#muxer.announce(metadata.kind);
    const tables = this.#muxer.tables();
    const fault = mediaFault(() => {
      const packets = this.#muxer.timedMetadata({ ...metadata, at: this.#placed(metadata.at) });
      this.#push(Buffer.concat([tables, packets]));
    });
    // One that can't be written leaves the tables that tell of its kind.
    if (fault !== undefined) this.#push(tables);
  }

  take(): Buffer | undefined {
    const packets = this.#packets;
    this.#packets = [];
    this.#waiting = 0;
    return gather(packets);
  }

  #push(packets: Buffer): void {
    this.#packets.push(packets);
    this.#waiting += packets.length;
  }

  #placed(time: Micros): Micros {
    return micros(time - (this.#start ?? time));
  }

  #isPlaceForTables({ kind, keyframe, dts }: Sample): boolean {
    if (this.#lastTables === Number.NEGATIVE_INFINITY) return true;
    return this.#hasVideo ? kind === 'video' && keyframe : dts - this.#lastTables >= TABLES_INTERVAL;
  }
}
