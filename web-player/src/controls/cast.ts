import type { PlayerView } from '../element/view.js';

/** Safari's way to AirPlay, older than the Remote Playback API. */
interface AirPlayVideo extends HTMLVideoElement {
  webkitShowPlaybackTargetPicker?(): void;
}

/** Shows the button to play on another screen while the browser knows of one that takes this media. */
export function connectCast({ cast, video }: PlayerView, signal: AbortSignal): void {
  const airPlay: AirPlayVideo = video;
  const pick = airPlay.webkitShowPlaybackTargetPicker?.bind(airPlay);
  if (pick !== undefined) {
    cast.addEventListener('click', pick);
    const changed = (event: Event) => {
      cast.hidden = (event as Event & { availability?: string }).availability !== 'available';
    };
    video.addEventListener('webkitplaybacktargetavailabilitychanged', changed, { signal });
    return;
  }
  const remote: RemotePlayback | undefined = 'remote' in video ? video.remote : undefined;
  if (remote === undefined) return;
  cast.addEventListener('click', () => {
    // The viewer has closed the list of screens, or the one chosen is gone.
    remote.prompt().catch(() => undefined);
  });
  const available = (isThere: boolean) => {
    cast.hidden = !isThere;
  };
  remote.watchAvailability(available).then(
    (id) => signal.addEventListener('abort', () => void remote.cancelWatchAvailability(id).catch(() => undefined)),
    // The browser can't look for screens in the background: asking is still possible.
    () => available(false),
  );
}
