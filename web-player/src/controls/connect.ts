import { setButton } from '../icon-button.js';
import type { PlayerView } from '../player-view.js';
import { connectBar } from './bar.js';
import { connectGestures } from './gestures.js';
import { listenForKeys } from './keys.js';
import { connectScreen } from './screen.js';
import { connectSound } from './sound.js';

/** What the controls ask of the player. */
export interface Transport {
  togglePlay(): void;
  readonly time: { toLiveEdge(): void; seekBy(seconds: number): void };
}

/** What an arrow key goes back or forward. */
const STEP_SECONDS = 5;

/** Wires buttons, keys and gestures. */
export function connectControls(view: PlayerView, transport: Transport): void {
  const { video } = view;
  const sound = connectSound(view);
  const screen = connectScreen(view);
  const bar = connectBar(view);
  const togglePlay = () => transport.togglePlay();
  const toLiveEdge = () => transport.time.toLiveEdge();
  const toggleHelp = () => {
    if (view.help.open) view.help.close();
    else view.help.showModal();
  };
  view.play.addEventListener('click', togglePlay);
  view.bigPlay.addEventListener('click', togglePlay);
  view.edge.addEventListener('click', toLiveEdge);
  view.helpButton.addEventListener('click', toggleHelp);
  view.help.addEventListener('click', (event) => {
    if (event.target === view.help) view.help.close();
  });
  for (const surface of [video, view.lastFrame]) {
    connectGestures(surface, { togglePlay, toggleFullScreen: screen.toggleFullScreen, toggleBar: bar.toggle });
  }
  listenForKeys({
    play: togglePlay,
    mute: sound.toggleMute,
    louder: sound.louder,
    softer: sound.softer,
    back: () => transport.time.seekBy(-STEP_SECONDS),
    forward: () => transport.time.seekBy(STEP_SECONDS),
    fullScreen: screen.toggleFullScreen,
    pictureInPicture: screen.togglePictureInPicture,
    liveEdge: toLiveEdge,
    help: toggleHelp,
  });
  const reflect = () => {
    const { paused } = video;
    setButton(view.play, paused ? 'play' : 'pause', paused ? 'Play (k)' : 'Pause (k)');
  };
  for (const name of ['play', 'pause', 'emptied'] as const) video.addEventListener(name, reflect);
  reflect();
}
