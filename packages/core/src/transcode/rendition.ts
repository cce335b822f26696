import {
  type MediaEvent,
  type Micros,
  micros,
  type Sample,
  TS_TIME_OFFSET,
  TsDemuxer,
  type TsEvent,
} from '@sluice/media';
import type { Admission, Gate } from '../access/gate.js';
import { configuredRequest } from '../access/request.js';
import type { RenditionSettings } from '../config/transcode-schema.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import type { StreamPath } from '../stream-path.js';
import type { Publication, StreamRouter } from '../streams/router.js';
import type { Stream } from '../streams/stream.js';

/** How it is with a rendition. */
export type RenditionState =
  /** Nobody watches it. */
  | 'idle'
  /** ffmpeg has been started, or is about to be started again. */
  | 'starting'
  | 'live'
  /** There is no room for it in the CPU budget; it is tried again when there is. */
  | 'refused'
  /** It can't be made of this source. */
  | 'failed';

export interface RenditionOptions {
  readonly path: StreamPath;
  readonly name: string;
  readonly settings: RenditionSettings;
  readonly source: Stream;
  readonly gate: Pick<Gate, 'admit'>;
  readonly router: StreamRouter;
  readonly log: Logger;
  /** Somebody has ended it through the API. */
  readonly onCut: () => void;
}

/** One run of ffmpeg, as a rendition sees it. */
interface Run {
  readonly demuxer: TsDemuxer;
  /** Added to the times that come out. */
  readonly offset: number;
}

const OWN_ADDRESS = '127.0.0.1';
/** Samples: some seconds. */
const MOST_EARLY = 300;

/** One version of a stream: takes ffmpeg's bytes, and publishes them with the times of the source. */
export class Rendition {
  readonly path: StreamPath;
  readonly name: string;
  readonly settings: RenditionSettings;
  readonly #options: RenditionOptions;
  #state: RenditionState = 'idle';
  #reason: string | undefined;
  #run: Run | undefined;
  #admission: Admission | undefined;
  #publication: Publication | undefined;
  #opening = false;
  #closed = false;
  /** Track kinds of the publication. */
  #tracks = '';
  /** What came before it could be published. */
  #early: MediaEvent[] = [];
  readonly #lastDts = new Map<number, Micros>();
  #lastPicture: Micros | undefined;
  #bytes = 0;

  constructor(options: RenditionOptions) {
    this.path = options.path;
    this.name = options.name;
    this.settings = options.settings;
    this.#options = options;
  }

  get state(): RenditionState {
    return this.#state;
  }

  /** Why it is not made; undefined while it is. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** The newest picture that came out. */
  get lastPicture(): Micros | undefined {
    return this.#lastPicture;
  }

  /** ffmpeg has ended; it is begun again. */
  interrupt(): void {
    if (this.#state === 'live') this.#state = 'starting';
  }

  /** It is not made, for the time being. */
  withhold(state: 'refused' | 'failed', reason: string): void {
    this.#state = state;
    this.#reason = reason;
    this.#unpublish(reason);
  }

  /**
   * A new run of ffmpeg begins.
   *
   * @param base what stands at 0 in what it writes
   * @param tracks what it will write: a seam is made where that is something else than before
   */
  begin(base: Micros, tracks: string): void {
    this.#run = { demuxer: new TsDemuxer(), offset: base - TS_TIME_OFFSET };
    this.#reason = undefined;
    if (this.#state !== 'live') this.#state = 'starting';
    if (this.#publication !== undefined && tracks !== this.#tracks) this.#publish();
    this.#tracks = tracks;
    if (this.#admission === undefined && !this.#opening) void this.#open();
  }

  push(bytes: Buffer): void {
    const run = this.#run;
    if (run === undefined) return;
    for (const event of run.demuxer.push(bytes)) {
      const own = this.#own(event, run);
      if (own === undefined) continue;
      if (this.#publication !== undefined) this.#publication.write(own);
      else if (this.#admission !== undefined || this.#opening) this.#early.push(own);
    }
    if (this.#publication === undefined && this.#admission !== undefined && this.#isComplete()) this.#publish();
  }

  /** Nothing comes any more. */
  close(reason: string): void {
    this.#closed = true;
    this.#state = 'idle';
    this.#unpublish(reason);
  }

  async #open(): Promise<void> {
    const { gate, log } = this.#options;
    this.#opening = true;
    try {
      const admission = await gate.admit(
        configuredRequest({
          action: 'publish',
          protocol: 'transcode',
          path: this.path,
          ip: OWN_ADDRESS,
        }),
      );
      if (this.#closed || this.#run === undefined) {
        admission.close('it is not wanted any more');
        return;
      }
      this.#admission = admission;
      admission.bind({
        cut: (reason) => {
          this.#options.onCut();
          this.withhold('failed', reason);
        },
        traffic: () => ({ received: this.#bytes, sent: 0 }),
      });
      if (this.#isComplete()) this.#publish();
    } catch (error) {
      log.error({ path: this.path, detail: messageOf(error) }, 'a rendition can not be published');
      this.withhold('failed', messageOf(error));
    } finally {
      this.#opening = false;
    }
  }

  /** Viewers that come at once should see all tracks. One that stays silent is not waited for. */
  #isComplete(): boolean {
    if (this.#early.length > MOST_EARLY) return true;
    const known = this.#early.flatMap((event) => (event.type === 'config' ? [event.config.kind] : []));
    return this.#tracks.split(' ').every((kind) => known.some((own) => own === kind));
  }

  #publish(): void {
    const { router, source } = this.#options;
    const admission = this.#admission;
    if (admission === undefined || router.isClosed) return;
    const cut = (reason: string) => {
      if (this.#publication === publication) this.#unpublish(reason);
    };
    const before = this.#publication;
    this.#publication = undefined;
    const publication: Publication = router.publish(admission.session, { cut }, source);
    before?.end('the tracks have changed');
    this.#publication = publication;
    for (const event of this.#early.splice(0)) publication.write(event);
  }

  #unpublish(reason: string): void {
    const [publication, admission] = [this.#publication, this.#admission];
    this.#publication = undefined;
    this.#admission = undefined;
    this.#run = undefined;
    this.#early = [];
    this.#lastDts.clear();
    this.#lastPicture = undefined;
    publication?.end(reason);
    admission?.close(reason);
  }

  /** On the source's timeline. What an earlier run has given already is left out. */
  #own(event: TsEvent, { offset }: Run): MediaEvent | undefined {
    if (event.type === 'config') return event;
    if (event.type !== 'sample') return undefined;
    const { track, kind, data } = event.sample;
    const dts = micros(event.sample.dts + offset);
    const pts = micros(event.sample.pts + offset);
    const last = this.#lastDts.get(track);
    if (last !== undefined && dts <= last) return undefined;
    this.#lastDts.set(track, dts);
    if (kind === 'video') this.#lastPicture = pts;
    this.#state = 'live';
    this.#bytes += data.length;
    const sample: Sample = { ...event.sample, dts, pts };
    return { type: 'sample', sample };
  }
}
