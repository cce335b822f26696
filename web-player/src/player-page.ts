import { browserAbilities } from './browser.js';
import { connectControls } from './controls/connect.js';
import { connectTimeBar } from './controls/time-bar.js';
import { element, required } from './dom.js';
import { bufferedAhead } from './live-edge.js';
import { LivePlayer } from './live-player.js';
import { showFigures } from './player-display.js';
import { createPlayerView } from './player-view.js';
import { isProtocol, streamPathOf } from './protocol.js';
import { ServerClock } from './server-clock.js';
import { StatusClient } from './status-client.js';

const FIGURES_MS = 500;

const path = streamPathOf(location.pathname);
if (path === undefined) {
  const text = 'This is no name of a stream. A player’s address looks like /player/live/show.';
  required('player').append(element('p', { class: 'astray' }, text, ' ', element('a', { href: '/' }, 'All streams')));
} else {
  open(path);
}

function open(streamPath: string): void {
  document.title = `${streamPath} · Sluice`;
  const view = createPlayerView(streamPath);
  required('player').append(view.root);
  const query = new URLSearchParams(location.search);
  const clock = new ServerClock();
  const player = new LivePlayer({
    path: streamPath,
    view,
    browser: browserAbilities(view.video),
    client: new StatusClient(clock, location.search),
    clock,
    search: location.search,
    protocol: query.get('protocol'),
    muted: query.get('muted') === '1',
  });
  connectControls(view, player);
  connectTimeBar(view, player.time);
  view.protocol.addEventListener('change', () => {
    const { value } = view.protocol;
    if (!isProtocol(value)) return;
    query.set('protocol', value);
    history.replaceState(null, '', `?${query}`);
    player.switchTo(value);
  });
  view.quality.addEventListener('change', () => player.engine?.chooseQuality(Number(view.quality.value)));
  view.video.addEventListener('resize', () => {
    const { videoWidth, videoHeight } = view.video;
    if (videoHeight > 0) view.stage.style.setProperty('--picture-aspect', String(videoWidth / videoHeight));
  });
  setInterval(() => showFigures(view, player), FIGURES_MS);
  expose(view.video, player);
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
      latencyBasis: player.engine?.latencyBasis,
      shifted: player.time.shifted,
      seekRange: player.time.range,
      playingDate: player.time.dateAt(video.currentTime),
      bufferedSeconds: bufferedAhead(video.buffered, video.currentTime),
      framesDecoded: player.framesDecoded,
      errors: player.errors,
      lastError: player.lastError,
    }),
  });
}
