import type { PlayerView } from '../element/view.js';
import { setButton } from '../icon-button.js';
import type { Texts } from '../texts/texts.js';

export interface Screen {
  toggleFullScreen(): void;
  togglePictureInPicture(): void;
}

/** Phones by Apple let only the video itself fill the screen. */
type PhoneVideo = HTMLVideoElement & { webkitEnterFullscreen?: () => void };

/** Wires full screen and picture in picture, where the browser has them. */
export function connectScreen(view: PlayerView, texts: Texts, signal: AbortSignal): Screen {
  const { stage } = view;
  const video: PhoneVideo = view.video;
  const root = () => stage.getRootNode() as ShadowRoot;
  const toggleFullScreen = () => {
    if (root().fullscreenElement) void document.exitFullscreen().catch(notNow);
    else if (stage.requestFullscreen) void stage.requestFullscreen().catch(notNow);
    else video.webkitEnterFullscreen?.();
  };
  const togglePictureInPicture = () => {
    if (!document.pictureInPictureEnabled) return;
    if (root().pictureInPictureElement) void document.exitPictureInPicture().catch(notNow);
    else void video.requestPictureInPicture().catch(notNow);
  };
  view.fullScreen.addEventListener('click', toggleFullScreen);
  view.fullScreen.hidden = !stage.requestFullscreen && video.webkitEnterFullscreen === undefined;
  view.pictureInPicture.addEventListener('click', togglePictureInPicture);
  view.pictureInPicture.hidden = !document.pictureInPictureEnabled;
  const reflect = () => {
    const full = root().fullscreenElement === stage;
    setButton(view.fullScreen, full ? 'small' : 'full', `${full ? texts.leaveFullScreen : texts.fullScreen} (f)`);
  };
  document.addEventListener('fullscreenchange', reflect, { signal });
  return { toggleFullScreen, togglePictureInPicture };
}

/** Asked for before there is a picture, or without a gesture: nothing happens, as the viewer sees. */
function notNow(): void {}
