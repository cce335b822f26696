import Hls, { type Fragment } from 'hls.js';

export interface VodPlayerEvents {
  /** What was loaded has been played; the live time of its end. */
  readonly ended: (time: number) => void;
  readonly failed: (status: number | undefined) => void;
}

/** So much is asked for at once: the server makes no playlist of more than a day. */
const STRETCH_MS = 4 * 3_600_000;

/** Apple's own player tells when its media began. */
interface DatedVideo extends HTMLVideoElement {
  getStartDate?(): Date;
}

/** Plays what is recorded, by live time. */
export class VodPlayer {
  readonly #video: DatedVideo;
  readonly #urlOf: (from: number, to: number) => string;
  readonly #events: VodPlayerEvents;
  #hls: Hls | undefined;
  #fragments: readonly Fragment[] = [];
  errors = 0;

  constructor(video: HTMLVideoElement, urlOf: (from: number, to: number) => string, events: VodPlayerEvents) {
    this.#video = video;
    this.#urlOf = urlOf;
    this.#events = events;
    video.addEventListener('ended', () => events.ended(this.time ?? 0));
  }

  /** The live time of what is shown; undefined while nothing is. */
  get time(): number | undefined {
    const { currentTime } = this.#video;
    if (this.#hls === undefined) {
      const begun = this.#video.getStartDate?.().getTime();
      return begun === undefined || Number.isNaN(begun) ? undefined : begun + currentTime * 1000;
    }
    const fragment = this.#fragments.findLast(({ start }) => start <= currentTime) ?? this.#fragments[0];
    const date = fragment?.programDateTime ?? undefined;
    return date === undefined || fragment === undefined ? undefined : date + (currentTime - fragment.start) * 1000;
  }

  /** Plays from a live time on, at which something is recorded. */
  playFrom(time: number): void {
    const known = this.#fragments.find(
      ({ programDateTime, duration }) =>
        programDateTime != null && programDateTime <= time && time < programDateTime + duration * 1000,
    );
    if (known?.programDateTime != null) {
      this.#video.currentTime = known.start + (time - known.programDateTime) / 1000;
      void this.#play();
    } else this.#load(this.#urlOf(time, time + STRETCH_MS));
  }

  /** Lets go of what is loaded. */
  close(): void {
    this.#hls?.destroy();
    this.#hls = undefined;
    this.#video.pause();
    this.#video.removeAttribute('src');
  }

  #load(url: string): void {
    this.#hls?.destroy();
    this.#fragments = [];
    if (!Hls.isSupported()) {
      this.#video.src = url;
      void this.#play();
      return;
    }
    const hls = new Hls({ startPosition: 0, backBufferLength: 60, maxBufferLength: 20 });
    this.#hls = hls;
    hls.on(Hls.Events.LEVEL_UPDATED, (_event, { details }) => {
      this.#fragments = details.fragments;
    });
    hls.on(Hls.Events.MEDIA_ATTACHED, () => void this.#play());
    hls.on(Hls.Events.ERROR, (_event, { fatal, response }) => {
      if (!fatal) return;
      this.errors += 1;
      hls.destroy();
      this.#fragments = [];
      this.#events.failed(response?.code);
    });
    hls.loadSource(url);
    hls.attachMedia(this.#video);
  }

  async #play(): Promise<void> {
    try {
      await this.#video.play();
    } catch {
      // The browser waits for a click, or another place was chosen meanwhile; the video's own controls tell.
    }
  }
}
