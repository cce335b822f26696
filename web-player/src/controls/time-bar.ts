import { setText } from '../dom.js';
import type { SeekRange } from '../engines/engine.js';
import { formatClock } from '../format.js';
import type { PlayerView } from '../player-view.js';
import { shareOf, timeAt } from '../seek-range.js';
import type { TimeTravel } from '../time-travel.js';

const REFRESH_MS = 250;
const STEP_SECONDS = 5;

/** Wires the bar over the part of the stream that can be sought. It is hidden where there is none. */
export function connectTimeBar({ timeBar, seek, seekTip, video }: PlayerView, travel: TimeTravel): void {
  /** As it was when the viewer took hold of the bar, so that it doesn't move under the hand. */
  let held: SeekRange | undefined;
  const rangeNow = () => held ?? travel.range;
  const draw = (share: number) => {
    seek.value = String(share);
    seek.style.setProperty('--share', `${share * 100}%`);
  };
  const refresh = () => {
    const range = travel.range;
    timeBar.hidden = range === undefined;
    if (range === undefined || held !== undefined) return;
    draw(shareOf(video.currentTime, range));
    seek.setAttribute('aria-valuetext', describe(video.currentTime, range, travel));
  };
  const tell = (share: number) => {
    const range = rangeNow();
    if (range === undefined) return;
    seekTip.hidden = false;
    setText(seekTip, describe(timeAt(share, range), range, travel));
    seekTip.style.setProperty('--share', String(Math.min(1, Math.max(0, share))));
  };
  const letGo = () => {
    held = undefined;
    seekTip.hidden = true;
  };
  seek.addEventListener('pointermove', (event) => {
    const { left, width } = seek.getBoundingClientRect();
    if (held === undefined && width > 0) tell((event.clientX - left) / width);
  });
  seek.addEventListener('pointerleave', () => {
    seekTip.hidden = true;
  });
  seek.addEventListener('input', () => {
    held ??= travel.range;
    const share = Number(seek.value);
    draw(share);
    tell(share);
  });
  seek.addEventListener('change', () => {
    const range = rangeNow();
    if (range !== undefined) travel.seekTo(timeAt(Number(seek.value), range));
    letGo();
  });
  seek.addEventListener('pointercancel', letGo);
  seek.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    event.preventDefault();
    travel.seekBy(event.key === 'ArrowLeft' ? -STEP_SECONDS : STEP_SECONDS);
  });
  setInterval(refresh, REFRESH_MS);
}

/** `20:15:31 · −1:05` */
function describe(time: number, range: SeekRange, travel: Pick<TimeTravel, 'dateAt'>): string {
  const date = travel.dateAt(time);
  const behind = Math.round(range.end - time);
  const clock = date === undefined ? [] : [new Date(date).toLocaleTimeString([], { timeStyle: 'medium' })];
  return [...clock, behind <= 0 ? 'live' : `−${formatClock(behind)}`].join(' · ');
}
