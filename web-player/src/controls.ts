import { bufferedEnd } from './live-edge.js';
import { type PlayerView, setButton } from './player-view.js';

const VOLUME_STEP = 0.1;
const EDGE_DISTANCE = 0.7;
const HIDE_BAR_MS = 2500;
const VOLUME_KEY = 'sluice.volume';

/** Wires buttons, keys and gestures to the video element. */
export function connectControls(view: PlayerView): void {
  const { video } = view;
  const togglePlay = () => {
    if (video.paused) void video.play().then(() => toLiveEdge(video), ignoreAbort);
    else video.pause();
  };
  const toggleMute = () => {
    video.muted = !video.muted;
    if (!video.muted && video.volume === 0) video.volume = 0.5;
  };
  const toggleFullScreen = () => {
    if (document.fullscreenElement === null) enterFullScreen(view);
    else void document.exitFullscreen();
  };
  const togglePicture = () => {
    if (document.pictureInPictureElement === null) void video.requestPictureInPicture?.().catch(ignoreAbort);
    else void document.exitPictureInPicture();
  };
  const toggleHelp = () => {
    if (view.help.open) view.help.close();
    else view.help.showModal();
  };
  const changeVolume = (by: number) => {
    video.muted = false;
    video.volume = Math.min(1, Math.max(0, video.volume + by));
  };
  const actions: Readonly<Record<string, () => void>> = {
    ' ': togglePlay,
    k: togglePlay,
    m: toggleMute,
    f: toggleFullScreen,
    p: togglePicture,
    l: () => toLiveEdge(video),
    '?': toggleHelp,
    ArrowUp: () => changeVolume(VOLUME_STEP),
    ArrowDown: () => changeVolume(-VOLUME_STEP),
  };
  view.play.addEventListener('click', togglePlay);
  view.mute.addEventListener('click', toggleMute);
  view.fullScreen.addEventListener('click', toggleFullScreen);
  view.pictureInPicture.addEventListener('click', togglePicture);
  view.pictureInPicture.hidden = !document.pictureInPictureEnabled;
  view.helpButton.addEventListener('click', toggleHelp);
  view.edge.addEventListener('click', () => toLiveEdge(video));
  view.soundPrompt.addEventListener('click', toggleMute);
  view.volume.addEventListener('input', () => {
    video.volume = Number(view.volume.value);
    video.muted = video.volume === 0;
  });
  view.stage.addEventListener('dblclick', (event) => {
    if (event.target === video) toggleFullScreen();
  });
  document.addEventListener('keydown', (event) => {
    const inControl = event.target instanceof HTMLSelectElement || event.target instanceof HTMLInputElement;
    const onButton = event.target instanceof HTMLButtonElement && event.key === ' ';
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (inControl || onButton || action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
  const reflect = () => {
    setButton(view.play, video.paused ? 'play' : 'pause', video.paused ? 'Play (k)' : 'Pause (k)');
    setButton(view.mute, video.muted ? 'muted' : 'sound', video.muted ? 'Sound on (m)' : 'Mute (m)');
    view.volume.value = video.muted ? '0' : String(video.volume);
    if (!video.muted) view.soundPrompt.hidden = true;
  };
  for (const name of ['play', 'pause', 'volumechange'] as const) video.addEventListener(name, reflect);
  video.addEventListener('volumechange', () => localStorage.setItem(VOLUME_KEY, String(video.volume)));
  video.volume = storedVolume();
  reflect();
  hideBarWhenStill(view);
}

/** Plays with sound if the browser lets it, muted with a prompt if not. */
export async function startPlayback(view: PlayerView, forceMuted: boolean): Promise<void> {
  const { video } = view;
  video.muted ||= forceMuted;
  try {
    await video.play();
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return;
    video.muted = true;
    view.soundPrompt.hidden = false;
    await video.play().catch(ignoreAbort);
  }
}

function toLiveEdge(video: HTMLVideoElement): void {
  const end = bufferedEnd(video.buffered);
  if (end !== undefined && end - video.currentTime > EDGE_DISTANCE) video.currentTime = end - EDGE_DISTANCE;
}

/** Phones let only the video itself fill the screen. */
function enterFullScreen({ stage, video }: PlayerView): void {
  const phone = video as HTMLVideoElement & { webkitEnterFullscreen?: () => void };
  if (stage.requestFullscreen) void stage.requestFullscreen().catch(ignoreAbort);
  else phone.webkitEnterFullscreen?.();
}

function hideBarWhenStill({ stage, video }: PlayerView): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wake = () => {
    stage.classList.remove('still');
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!video.paused && !stage.querySelector('.bar:focus-within')) stage.classList.add('still');
    }, HIDE_BAR_MS);
  };
  for (const name of ['pointermove', 'pointerdown', 'focusin', 'keydown'] as const) stage.addEventListener(name, wake);
  video.addEventListener('pause', wake);
  video.addEventListener('playing', wake);
}

function storedVolume(): number {
  const stored = Number(localStorage.getItem(VOLUME_KEY) ?? 1);
  return stored >= 0 && stored <= 1 ? stored : 1;
}

/** A play that another action overtook is nothing to speak of. */
function ignoreAbort(): void {}
