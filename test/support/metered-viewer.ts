import { get, type IncomingMessage } from 'node:http';
import { FlvDemuxer } from '@sluice/media';

/** The clips of tests have a picture each 40 ms. */
const LONGEST_STEP = 60_000;

/** A viewer of HTTP-FLV that keeps nothing of what it sees: there can be a thousand of it. */
export class MeteredViewer {
  readonly #url: string;
  #pictures = 0;
  #missing = 0;
  #last: number | undefined;
  #ended = false;
  #leave: () => void = () => undefined;

  constructor(url: string) {
    this.#url = url;
    this.#open();
  }

  /** Since it began, or began anew. */
  get pictures(): number {
    return this.#pictures;
  }

  /** How often a picture was not the one behind the last. */
  get missing(): number {
    return this.#missing;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** As a player does that has lost its connection. */
  again(): void {
    this.#pictures = 0;
    this.#last = undefined;
    this.#ended = false;
    this.#open();
  }

  leave(): void {
    this.#leave();
  }

  #open(): void {
    const demuxer = new FlvDemuxer();
    const asked = get(this.#url, { agent: false }, (response: IncomingMessage) => {
      response.on('data', (bytes: Buffer) => {
        for (const event of demuxer.push(bytes)) {
          if (event.type === 'sample' && event.sample.kind === 'video') this.#note(event.sample.dts);
        }
      });
      response.on('error', () => undefined);
      response.on('close', () => {
        this.#ended = true;
      });
    });
    asked.on('error', () => {
      this.#ended = true;
    });
    this.#leave = () => asked.destroy();
  }

  #note(dts: number): void {
    this.#pictures += 1;
    if (this.#last !== undefined && dts - this.#last > LONGEST_STEP) this.#missing += 1;
    this.#last = dts;
  }
}
