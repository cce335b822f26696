import { element, setText } from '../dom.js';
import type { PlaybackView } from './playback-view.js';
import type { RecordingUrls } from './recording-urls.js';
import {
  dayText,
  preciseText,
  ticksOf,
  timeOfDay,
  windowAround,
  windowBeside,
  type Zoom,
  zoomFor,
  zoomOf,
} from './time-window.js';
import { nextRecorded, pictureAt, type Stretch, sharesIn, type Timeline } from './timeline.js';

/** Steps of keys, in ms. */
const KEY_STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -10_000,
  ArrowRight: 10_000,
  ArrowDown: -60_000,
  ArrowUp: 60_000,
  PageDown: -600_000,
  PageUp: 600_000,
};
/** A picture is asked for when the pointer rests. */
const REST_MS = 120;
/** Without ffmpeg there are no pictures; nobody asks forever. */
const MOST_FAILURES = 3;

export interface TimeBarEvents {
  /** Somebody wants to watch from a live time on. */
  readonly chosen: (time: number) => void;
}

/** The bar that shows what is recorded in a day or an hour, and is clicked or steered by keys to play it. */
export class TimeBar {
  readonly #view: PlaybackView;
  readonly #urls: RecordingUrls;
  readonly #events: TimeBarEvents;
  readonly #language: string | undefined;
  #timeline: Timeline = { spans: [], files: [], isGrowing: false };
  #zoom: Zoom = 'day';
  #window: Stretch = windowAround(Date.now(), 'day');
  #time: number | undefined;
  #marks: { readonly start: number | undefined; readonly end: number | undefined } = {
    start: undefined,
    end: undefined,
  };
  #resting: number | undefined;
  #failures = 0;

  /** @param language in which dates are written; as the browser has it by default */
  constructor(view: PlaybackView, urls: RecordingUrls, events: TimeBarEvents, language?: string) {
    this.#language = language;
    this.#view = view;
    this.#urls = urls;
    this.#events = events;
    const { bar, before, after, zoom, day, tipPicture } = view;
    bar.addEventListener('click', ({ clientX }) => this.#choose(this.#timeAt(clientX)));
    bar.addEventListener('pointermove', ({ clientX, pointerType }) => {
      if (pointerType !== 'touch') this.#point(clientX);
    });
    bar.addEventListener('pointerleave', () => this.#unpoint());
    bar.addEventListener('keydown', (event) => this.#key(event));
    before.addEventListener('click', () => this.show(windowBeside(this.#window, this.#zoom, -1)));
    after.addEventListener('click', () => this.show(windowBeside(this.#window, this.#zoom, 1)));
    zoom.addEventListener('change', () => {
      this.#zoom = zoomOf(zoom.value);
      this.show(windowAround(this.#time ?? this.#window.start, this.#zoom));
    });
    day.addEventListener('change', () => {
      const time = timeOfDay(day.value);
      if (time !== undefined) this.show(windowAround(nextRecorded(this.#timeline.spans, time) ?? time, this.#zoom));
    });
    tipPicture.addEventListener('load', () => {
      tipPicture.hidden = false;
    });
    tipPicture.addEventListener('error', () => {
      this.#failures += 1;
      tipPicture.hidden = true;
    });
  }

  set timeline(timeline: Timeline) {
    this.#timeline = timeline;
    this.#draw();
  }

  set marks(marks: { readonly start: number | undefined; readonly end: number | undefined }) {
    this.#marks = marks;
    this.#draw();
  }

  /** Where playing is; the bar follows it from one day or hour into the next. */
  set time(time: number) {
    const isFollowed = this.#time === undefined || isIn(this.#time, this.#window);
    this.#time = time;
    if (isFollowed && !isIn(time, this.#window)) this.show(windowAround(time, this.#zoom));
    const { head, bar, shown } = this.#view;
    head.hidden = !isIn(time, this.#window);
    head.style.left = percent((time - this.#window.start) / (this.#window.end - this.#window.start));
    const text = `${new Date(time).toLocaleDateString(this.#language, { dateStyle: 'medium' })}, ${preciseText(time)}`;
    setText(shown, text);
    bar.setAttribute('aria-valuetext', text);
    bar.setAttribute('aria-valuenow', String(Math.round(time / 1000)));
  }

  /** Shows the end of what is recorded, as near as all of it fits, or its last day. */
  showNewest(): void {
    const { spans } = this.#timeline;
    const [first, last] = [spans[0], spans.at(-1)];
    if (first === undefined || last === undefined) return;
    this.#zoom = zoomFor(last.end - first.start);
    this.#view.zoom.value = this.#zoom;
    this.showAround(last.end - 1);
  }

  showAround(time: number): void {
    this.show(windowAround(time, this.#zoom));
  }

  show(window: Stretch): void {
    this.#window = window;
    this.#draw();
  }

  #draw(): void {
    const { spans, ticks, day, bar, marked } = this.#view;
    const place = ({ left, width }: { left: number; width: number }) => `left:${percent(left)};width:${percent(width)}`;
    const put = (target: HTMLElement, styles: readonly string[]) => {
      target.replaceChildren(...styles.map(() => element('div')));
      // A style attribute would be against the page's policy.
      styles.forEach((style, at) => {
        const child = target.children[at];
        if (child instanceof HTMLElement) child.style.cssText = style;
      });
    };
    put(spans, sharesIn(this.#timeline.spans, this.#window).map(place));
    const found = ticksOf(this.#window, this.#zoom);
    put(
      ticks,
      found.map(({ share }) => `left:${percent(share)}`),
    );
    found.forEach(({ label }, at) => {
      ticks.children[at]?.append(label);
    });
    const { start, end } = this.#marks;
    const mark = start ?? end;
    const [share] = mark === undefined ? [] : sharesIn([{ start: mark, end: end ?? mark + 1 }], this.#window);
    marked.hidden = share === undefined;
    if (share !== undefined) marked.style.cssText = place(share);
    day.value = dayText(this.#window.start);
    bar.setAttribute('aria-valuemin', String(Math.round(this.#window.start / 1000)));
    bar.setAttribute('aria-valuemax', String(Math.round(this.#window.end / 1000)));
    if (this.#time !== undefined) this.#view.head.hidden = !isIn(this.#time, this.#window);
  }

  #choose(time: number): void {
    const next = nextRecorded(this.#timeline.spans, time) ?? this.#timeline.spans.at(-1)?.start;
    if (next !== undefined) this.#go(next);
  }

  #go(time: number): void {
    if (!isIn(time, this.#window)) this.showAround(time);
    // The next key counts from here, even if playing hasn't got there yet.
    this.time = time;
    this.#events.chosen(time);
  }

  #key(event: KeyboardEvent): void {
    const { spans } = this.#timeline;
    const [first, last] = [spans[0], spans.at(-1)];
    if (first === undefined || last === undefined) return;
    const step = KEY_STEPS[event.key];
    const from = this.#time ?? first.start;
    if (step !== undefined) this.#choose(stepped(spans, from, step));
    else if (event.key === 'Home') this.#go(first.start);
    else if (event.key === 'End') this.#go(Math.max(last.start, last.end - 10_000));
    else return;
    event.preventDefault();
  }

  #timeAt(clientX: number): number {
    const { left, width } = this.#view.bar.getBoundingClientRect();
    const share = Math.min(Math.max((clientX - left) / Math.max(width, 1), 0), 1);
    return this.#window.start + share * (this.#window.end - this.#window.start);
  }

  #point(clientX: number): void {
    const { tip, tipText, tipPicture, bar } = this.#view;
    const time = this.#timeAt(clientX);
    const { left, width } = bar.getBoundingClientRect();
    tip.hidden = false;
    tip.style.setProperty('--share', String((clientX - left) / Math.max(width, 1)));
    setText(tipText, preciseText(time));
    clearTimeout(this.#resting);
    const picture = pictureAt(this.#timeline.files, time);
    if (picture === undefined || this.#failures >= MOST_FAILURES) tipPicture.hidden = true;
    else this.#resting = window.setTimeout(() => this.#ask(picture), REST_MS);
  }

  #ask({ id, at }: { id: string; at: number }): void {
    const url = this.#urls.picture(id, at);
    if (!this.#view.tipPicture.src.endsWith(url)) this.#view.tipPicture.src = url;
  }

  #unpoint(): void {
    clearTimeout(this.#resting);
    this.#view.tip.hidden = true;
    this.#view.tipPicture.hidden = true;
  }
}

/** Backwards over a hole too, which `nextRecorded` would jump out of again. */
function stepped(spans: readonly Stretch[], from: number, step: number): number {
  const to = from + step;
  if (step > 0 || spans.some(({ start, end }) => start <= to && to < end)) return to;
  const before = spans.findLast(({ end }) => end <= to);
  return before === undefined ? to : Math.max(before.start, before.end + step);
}

const isIn = (time: number, { start, end }: Stretch): boolean => time >= start && time < end;
const percent = (share: number): string => `${(share * 100).toFixed(4)}%`;
