import type { PlayerView } from '../element/view.js';
import { setButton } from '../icon-button.js';
import type { LivePlayer } from '../live-player.js';
import type { Texts } from '../texts/texts.js';
import { connectBar } from './bar.js';
import { Captions } from './captions.js';
import { connectCast } from './cast.js';
import { connectGestures } from './gestures.js';
import { listenForKeys } from './keys.js';
import { connectScreen } from './screen.js';
import { connectSettings, type Settings } from './settings.js';
import { connectSound } from './sound.js';
import { connectTimeBar } from './time-bar.js';

/** What an arrow key goes back or forward. */
const STEP_SECONDS = 5;

export interface ControlsOptions {
  readonly view: PlayerView;
  /** The one at work; undefined while there is nothing to play. */
  readonly player: () => LivePlayer | undefined;
  readonly texts: Texts;
  /** Where keys are listened for. */
  readonly keysOf: EventTarget;
  readonly protocolChosen: (protocol: string) => void;
  /** Ends what reaches out of the view. */
  readonly signal: AbortSignal;
}

/** Wires buttons, keys and gestures. */
export function connectControls(options: ControlsOptions): Settings {
  const { view, player, texts, signal } = options;
  const { video } = view;
  const sound = connectSound(view, texts);
  const screen = connectScreen(view, texts, signal);
  const bar = connectBar(view);
  const captions = new Captions(video, () => {
    reflectCaptions();
    settings.refresh();
  });
  const settings = connectSettings({ ...options, captions });
  const reflectCaptions = () => {
    view.captions.hidden = captions.names.length === 0;
    const isOn = captions.shown >= 0;
    view.captions.setAttribute('aria-pressed', String(isOn));
    view.captions.title = `${isOn ? texts.captionsOff : texts.captionsOn} (c)`;
  };
  connectCast(view, signal);
  connectTimeBar(view, player, texts, signal);
  const togglePlay = () => player()?.togglePlay();
  const toLiveEdge = () => player()?.time.toLiveEdge();
  const toggleHelp = () => {
    if (view.help.open) view.help.close();
    else view.help.showModal();
  };
  view.play.addEventListener('click', togglePlay);
  view.bigPlay.addEventListener('click', togglePlay);
  view.edge.addEventListener('click', toLiveEdge);
  view.captions.addEventListener('click', () => captions.toggle());
  view.helpButton.addEventListener('click', toggleHelp);
  view.help.addEventListener('click', (event) => {
    if (event.target === view.help) view.help.close();
  });
  for (const surface of [video, view.lastFrame]) {
    connectGestures(surface, { togglePlay, toggleFullScreen: screen.toggleFullScreen, toggleBar: bar.toggle });
  }
  const actions = {
    play: togglePlay,
    mute: sound.toggleMute,
    louder: sound.louder,
    softer: sound.softer,
    back: () => player()?.time.seekBy(-STEP_SECONDS),
    forward: () => player()?.time.seekBy(STEP_SECONDS),
    fullScreen: screen.toggleFullScreen,
    pictureInPicture: screen.togglePictureInPicture,
    captions: () => captions.toggle(),
    liveEdge: toLiveEdge,
    statistics: settings.toggleStatistics,
    help: toggleHelp,
  };
  listenForKeys(options.keysOf, actions, signal);
  const reflect = () => {
    const { paused } = video;
    setButton(view.play, paused ? 'play' : 'pause', `${paused ? texts.play : texts.pause} (k)`);
  };
  for (const name of ['play', 'pause', 'emptied'] as const) video.addEventListener(name, reflect);
  reflect();
  return settings;
}
