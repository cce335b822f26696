import { setText } from '../dom.js';
import { formatClock } from '../format.js';
import { pressByLetters } from '../letter-keys.js';
import { type Marks, marksWith, markText } from './clip-marks.js';
import type { PlaybackView } from './playback-view.js';
import type { RecordingUrls } from './recording-urls.js';
import { filled, type RecordingTexts, refusalText } from './texts.js';
import { TimeBar } from './time-bar.js';
import { nextRecorded, type Timeline, timelineOf } from './timeline.js';
import { VodPlayer } from './vod-player.js';

const TICK_MS = 250;
/** While a stream is recorded, there is more from time to time. */
const REFRESH_MS = 10_000;

export interface RecordedPlaybackOptions {
  readonly view: PlaybackView;
  readonly urls: RecordingUrls;
  readonly texts: RecordingTexts;
  /** What is recorded is known, or there is more of it. */
  readonly onTimeline?: (timeline: Timeline) => void;
}

/** Plays what is recorded of a stream: by the bar, from one stretch into the next, with marks for a clip. */
export class RecordedPlayback {
  readonly #options: RecordedPlaybackOptions;
  readonly #player: VodPlayer;
  readonly #bar: TimeBar;
  readonly #closing = new AbortController();
  readonly #tick: number;
  #refresh: number | undefined;
  #timeline: Timeline = { spans: [], files: [], isGrowing: false };
  #marks: Marks = { start: undefined, end: undefined };

  constructor(options: RecordedPlaybackOptions) {
    this.#options = options;
    const { view, urls, texts } = options;
    this.#player = new VodPlayer(view.video, (from, to) => urls.playlist(from, to), {
      ended: (time) => {
        const next = nextRecorded(this.#timeline.spans, time + 1000);
        if (next !== undefined) this.#player.playFrom(next);
      },
      failed: (status) => this.#say(refusalText(status, texts)),
    });
    const chosen = (time: number) => {
      this.#say(undefined);
      this.#player.playFrom(time);
    };
    this.#bar = new TimeBar(view, urls, { chosen }, texts.language);
    view.markStart.addEventListener('click', () => this.#mark('start'));
    view.markEnd.addEventListener('click', () => this.#mark('end'));
    view.clear.addEventListener('click', () => this.#mark(undefined));
    pressByLetters({ i: view.markStart, o: view.markEnd }, this.#closing.signal);
    view.video.addEventListener('playing', () => this.#say(undefined));
    this.#tick = window.setInterval(() => {
      const { time } = this.#player;
      if (time !== undefined) this.#bar.time = time;
    }, TICK_MS);
  }

  /** Asks what is recorded, and again while there may be more. */
  async load(): Promise<void> {
    clearTimeout(this.#refresh);
    const { urls, texts, onTimeline } = this.#options;
    const answer = await this.#ask(urls.timeline);
    if (this.#closing.signal.aborted) return;
    if (typeof answer === 'number') this.#say(refusalText(answer, texts));
    else {
      const isFirst = this.#timeline.spans.length === 0 && this.#timeline.files.length === 0;
      this.#timeline = answer;
      this.#bar.timeline = answer;
      onTimeline?.(answer);
      if (isFirst) this.#begin();
    }
    if (typeof answer === 'number' || answer.isGrowing) {
      this.#refresh = window.setTimeout(() => void this.load(), REFRESH_MS);
    }
  }

  /** Plays from a live time on, at which something is recorded. */
  playFrom(time: number): void {
    this.#say(undefined);
    this.#bar.showAround(time);
    this.#player.playFrom(time);
  }

  /** How it stands, for tests and for the curious. */
  get report() {
    const { video } = this.#options.view;
    return {
      time: this.#player.time,
      currentTime: video.currentTime,
      isPlaying: !video.paused && video.readyState > 2,
      framesDecoded: video.getVideoPlaybackQuality().totalVideoFrames,
      spans: this.#timeline.spans,
      marks: this.#marks,
      errors: this.#player.errors,
    };
  }

  /** The elements may go. */
  close(): void {
    this.#closing.abort();
    clearInterval(this.#tick);
    clearTimeout(this.#refresh);
    this.#player.close();
  }

  async #ask(url: string): Promise<Timeline | number> {
    try {
      const response = await fetch(url, { cache: 'no-store', signal: this.#closing.signal });
      return response.ok ? timelineOf(await response.json()) : response.status;
    } catch {
      return 0;
    }
  }

  /** Shows the newest day, and waits for a click. */
  #begin(): void {
    const { texts } = this.#options;
    const { spans, files } = this.#timeline;
    if (spans.length === 0) {
      this.#say(files.length === 0 ? texts.nothing : texts.onlyFiles);
      return;
    }
    this.#bar.showNewest();
    this.#say(texts.choose);
  }

  #mark(which: 'start' | 'end' | undefined): void {
    const { time } = this.#player;
    if (which !== undefined && time === undefined) return;
    this.#marks = which === undefined ? { start: undefined, end: undefined } : marksWith(this.#marks, which, time ?? 0);
    this.#bar.marks = this.#marks;
    this.#showMarks();
  }

  #showMarks(): void {
    const { view, urls, texts } = this.#options;
    const { start, end } = this.#marks;
    setText(view.range, markText(this.#marks, texts));
    view.clear.hidden = start === undefined && end === undefined;
    view.download.hidden = start === undefined || end === undefined;
    if (start === undefined || end === undefined) return;
    view.download.href = urls.clip(start, end);
    setText(view.download, filled(texts.downloadClip, { length: formatClock((end - start) / 1000) }));
  }

  #say(text: string | undefined): void {
    const { notice } = this.#options.view;
    notice.hidden = text === undefined;
    if (text !== undefined) setText(notice, text);
  }
}
