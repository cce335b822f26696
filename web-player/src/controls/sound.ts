import type { PlayerView } from '../element/view.js';
import { setButton } from '../icon-button.js';
import type { Texts } from '../texts/texts.js';

const VOLUME_STEP = 0.1;
const VOLUME_KEY = 'sluice.volume';
const AUDIBLE = 0.5;

export interface Sound {
  toggleMute(): void;
  louder(): void;
  softer(): void;
}

/** Wires mute and volume; the volume is remembered from visit to visit. */
export function connectSound(view: PlayerView, texts: Texts): Sound {
  const { video } = view;
  const change = (by: number) => {
    video.volume = Math.min(1, Math.max(0, (video.muted ? 0 : video.volume) + by));
    video.muted = video.volume === 0;
  };
  const toggleMute = () => {
    video.muted = !video.muted;
    if (!video.muted && video.volume === 0) video.volume = AUDIBLE;
  };
  const reflect = () => {
    setButton(view.mute, video.muted ? 'muted' : 'sound', `${video.muted ? texts.unmute : texts.mute} (m)`);
    view.volume.value = video.muted ? '0' : String(video.volume);
    if (!video.muted) view.soundPrompt.hidden = true;
  };
  view.mute.addEventListener('click', toggleMute);
  view.soundPrompt.addEventListener('click', toggleMute);
  view.volume.addEventListener('input', () => {
    video.volume = Number(view.volume.value);
    video.muted = video.volume === 0;
  });
  video.addEventListener('volumechange', () => {
    reflect();
    remember(video.volume);
  });
  video.volume = remembered();
  reflect();
  return { toggleMute, louder: () => change(VOLUME_STEP), softer: () => change(-VOLUME_STEP) };
}

/** How playing went: `silenced` where the browser lets it play without sound only. */
type Playback = 'as-asked' | 'silenced';

/** Plays with sound if the browser lets it, and muted if not. Resolves when it is clear which. */
export async function startPlayback(video: HTMLVideoElement): Promise<Playback> {
  try {
    await video.play();
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== 'NotAllowedError' || video.muted) return 'as-asked';
    video.muted = true;
    await video.play().catch(() => {
      // Not even muted: it stays paused, with a button to play.
    });
    return 'silenced';
  }
  return 'as-asked';
}

/** Storage can be forbidden, in a frame say. */
function remember(volume: number): void {
  try {
    localStorage.setItem(VOLUME_KEY, String(volume));
  } catch {}
}

function remembered(): number {
  try {
    const volume = Number(localStorage.getItem(VOLUME_KEY) ?? 1);
    return volume > 0 && volume <= 1 ? volume : 1;
  } catch {
    return 1;
  }
}
