import type { PlayerView } from '../element/view.js';

const HIDE_MS = 2500;

export interface Bar {
  /** Shows the bar for a while. */
  wake(): void;
  /** Hides it, or shows it. */
  toggle(): void;
}

/** Hides the controls while the picture moves and nobody reaches for them. */
export function connectBar({ stage, video, menu }: PlayerView): Bar {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const isUsed = () => !menu.panel.hidden || stage.querySelector('.bar :focus-visible') !== null;
  const sleep = () => {
    if (!video.paused && stage.dataset.state === 'playing' && !isUsed()) stage.classList.add('still');
  };
  const wake = () => {
    stage.classList.remove('still');
    clearTimeout(timer);
    timer = setTimeout(sleep, HIDE_MS);
  };
  const toggle = () => {
    if (stage.classList.contains('still')) wake();
    else sleep();
  };
  for (const name of ['pointermove', 'focusin'] as const) {
    // A finger's moves belong to its tap, which toggles.
    stage.addEventListener(name, (event) => {
      if (!(event instanceof PointerEvent) || event.pointerType === 'mouse') wake();
    });
  }
  stage.addEventListener('pointerleave', sleep);
  stage.addEventListener('keydown', wake);
  video.addEventListener('pause', wake);
  video.addEventListener('playing', wake);
  return { wake, toggle };
}
