import { get } from 'node:http';
import { FlvDemuxer } from '@sluice/media';

/** Watches a stream by HTTP-FLV, and counts its pictures. */
export class FrameCount {
  pictures = 0;
  /** Between the decoding times of two pictures. */
  longestStepMs = 0;
  readonly #request;
  #last: number | undefined;

  constructor(url: string) {
    const demuxer = new FlvDemuxer();
    this.#request = get(url, { agent: false }, (response) => {
      response.on('data', (bytes: Buffer) => {
        for (const event of demuxer.push(bytes)) {
          if (event.type === 'sample' && event.sample.kind === 'video') this.#count(event.sample.dts);
        }
      });
    });
    this.#request.on('error', (error) => console.error(`${url}: ${error.message}`));
  }

  stop(): void {
    this.#request.removeAllListeners('error').on('error', () => undefined);
    this.#request.destroy();
  }

  #count(dts: number): void {
    this.pictures += 1;
    if (this.#last !== undefined)
      this.longestStepMs = Math.max(this.longestStepMs, Math.round((dts - this.#last) / 1000));
    this.#last = dts;
  }
}
