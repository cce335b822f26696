import { FlvSampleReader, type FlvTagType, MediaError, type MediaEvent } from '@sluice/media';

/** Reads what an origin sends by RTMP or as FLV: from the middle of a stream on, in the main. */
export class FlvMessages {
  readonly #reader = new FlvSampleReader();

  /** @throws {MediaError} where a body can't be read */
  read(type: FlvTagType, timestamp: number, body: Buffer): MediaEvent[] {
    try {
      return this.#reader.read(type, timestamp, body);
    } catch (error) {
      // Servers that keep no sequence headers for who joins send them with the next keyframe.
      if (error instanceof MediaError && error.code === 'no-config') return [];
      throw error;
    }
  }
}
