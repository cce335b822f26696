import { connectControls } from './controls.js';
import { required } from './dom.js';
import { describeTracks, formatCount, formatSeconds } from './format.js';
import { bufferedEnd } from './live-edge.js';
import { LivePlayer } from './live-player.js';
import { createPlayerView, type PlayerView } from './player-view.js';
import { type BrowserAbilities, isProtocol, streamPathOf } from './protocol.js';

const READ_OUT_MS = 500;
/** Further behind than this and the badge says so. */
const LIVE_WITHIN_SECONDS = 10;

const path = streamPathOf(location.pathname);
if (path === undefined) {
  required('player').textContent = 'This is no name of a stream. It would be /player/live/show, say.';
} else {
  open(path);
}

function open(streamPath: string): void {
  document.title = `${streamPath} · Sluice`;
  const view = createPlayerView(streamPath);
  required('player').append(view.root);
  connectControls(view);
  const query = new URLSearchParams(location.search);
  const player = new LivePlayer({
    path: streamPath,
    view,
    browser: abilities(view.video),
    protocol: query.get('protocol'),
    muted: query.get('muted') === '1',
  });
  view.protocol.addEventListener('change', () => {
    const { value } = view.protocol;
    if (!isProtocol(value)) return;
    query.set('protocol', value);
    history.replaceState(null, '', `?${query}`);
    player.switchTo(value);
  });
  view.quality.addEventListener('change', () => player.engine?.chooseQuality(Number(view.quality.value)));
  setInterval(() => readOut(view, player), READ_OUT_MS);
  expose(view.video, player);
}

function abilities(video: HTMLVideoElement): BrowserAbilities {
  return {
    mediaSource: 'MediaSource' in window,
    nativeHls: video.canPlayType('application/vnd.apple.mpegurl') !== '',
    supports: (mimeType) => MediaSource.isTypeSupported(mimeType),
  };
}

function readOut(view: PlayerView, player: LivePlayer): void {
  const { engine, status } = player;
  const latency = engine?.latency();
  view.latency.textContent = `${engine?.latencyIsMeasured === false ? 'behind edge' : 'latency'} ${formatSeconds(latency)}`;
  view.buffer.textContent = `buffer ${formatSeconds(bufferedAhead(view.video))}`;
  view.edge.classList.toggle('on', player.state === 'playing' && (latency ?? 0) < LIVE_WITHIN_SECONDS);
  view.tracks.textContent = describeTracks(status?.tracks ?? []);
  view.viewers.textContent = status === undefined ? '' : formatCount(status.viewers, 'viewer');
}

function bufferedAhead(video: HTMLVideoElement): number | undefined {
  const end = bufferedEnd(video.buffered);
  return end === undefined ? undefined : Math.max(0, end - video.currentTime);
}

/** How the player stands, for tests and for the curious. */
function expose(video: HTMLVideoElement, player: LivePlayer): void {
  Object.defineProperty(window, 'sluicePlayer', {
    get: () => ({
      state: player.state,
      protocol: player.protocol,
      videoWidth: video.videoWidth,
      currentTime: video.currentTime,
      latencySeconds: player.engine?.latency(),
      bufferedSeconds: bufferedAhead(video),
      framesDecoded: video.getVideoPlaybackQuality().totalVideoFrames,
      errors: player.errors,
      lastError: player.lastError,
    }),
  });
}
