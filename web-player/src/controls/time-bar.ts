import { setText } from '../dom.js';
import type { PlayerView } from '../element/view.js';
import type { SeekRange } from '../engines/engine.js';
import { formatClock } from '../format.js';
import { shareOf, timeAt } from '../seek-range.js';
import type { Texts } from '../texts/texts.js';
import type { TimeTravel } from '../time-travel.js';

const REFRESH_MS = 250;
const STEP_SECONDS = 5;

/** Wires the bar over the part of the stream that can be sought. It is hidden where there is none. */
export function connectTimeBar(
  { timeBar, seek, seekTip, video }: PlayerView,
  player: () => { readonly time: TimeTravel } | undefined,
  texts: Texts,
  signal: AbortSignal,
): void {
  /** As it was when the viewer took hold of the bar, so that it doesn't move under the hand. */
  let held: SeekRange | undefined;
  const rangeNow = () => held ?? player()?.time.range;
  const draw = (share: number) => {
    seek.value = String(share);
    seek.style.setProperty('--share', `${share * 100}%`);
  };
  const refresh = () => {
    const travel = player()?.time;
    const range = travel?.range;
    timeBar.hidden = range === undefined;
    if (travel === undefined || range === undefined || held !== undefined) return;
    draw(shareOf(video.currentTime, range));
    seek.setAttribute('aria-valuetext', describe(video.currentTime, range, travel, texts));
  };
  const tell = (share: number) => {
    const range = rangeNow();
    if (range === undefined) return;
    seekTip.hidden = false;
    setText(seekTip, describe(timeAt(share, range), range, player()?.time, texts));
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
    held ??= player()?.time.range;
    const share = Number(seek.value);
    draw(share);
    tell(share);
  });
  seek.addEventListener('change', () => {
    const range = rangeNow();
    if (range !== undefined) player()?.time.seekTo(timeAt(Number(seek.value), range));
    letGo();
  });
  seek.addEventListener('pointercancel', letGo);
  seek.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    event.preventDefault();
    player()?.time.seekBy(event.key === 'ArrowLeft' ? -STEP_SECONDS : STEP_SECONDS);
  });
  const timer = setInterval(refresh, REFRESH_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
}

/** `20:15:31 · −1:05` */
function describe(
  time: number,
  range: SeekRange,
  travel: Pick<TimeTravel, 'dateAt'> | undefined,
  { locale, liveShort }: Texts,
): string {
  const date = travel?.dateAt(time);
  const behind = Math.round(range.end - time);
  const clock = date === undefined ? [] : [new Date(date).toLocaleTimeString(locale, { timeStyle: 'medium' })];
  return [...clock, behind <= 0 ? liveShort : `−${formatClock(behind)}`].join(' · ');
}
