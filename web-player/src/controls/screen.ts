import { setButton } from '../icon-button.js';
import type { PlayerView } from '../player-view.js';

export interface Screen {
  toggleFullScreen(): void;
  togglePictureInPicture(): void;
}

/** Phones by Apple let only the video itself fill the screen. */
type PhoneVideo = HTMLVideoElement & { webkitEnterFullscreen?: () => void };

/** Wires full screen and picture in picture, where the browser has them. */
export function connectScreen(view: PlayerView): Screen {
  const { stage } = view;
  const video: PhoneVideo = view.video;
  const toggleFullScreen = () => {
    if (document.fullscreenElement) void document.exitFullscreen().catch(notNow);
    else if (stage.requestFullscreen) void stage.requestFullscreen().catch(notNow);
    else video.webkitEnterFullscreen?.();
  };
  const togglePictureInPicture = () => {
    if (!document.pictureInPictureEnabled) return;
    if (document.pictureInPictureElement) void document.exitPictureInPicture().catch(notNow);
    else void video.requestPictureInPicture().catch(notNow);
  };
  view.fullScreen.addEventListener('click', toggleFullScreen);
  view.fullScreen.hidden = !stage.requestFullscreen && video.webkitEnterFullscreen === undefined;
  view.pictureInPicture.addEventListener('click', togglePictureInPicture);
  view.pictureInPicture.hidden = !document.pictureInPictureEnabled;
  document.addEventListener('fullscreenchange', () => {
    const full = document.fullscreenElement !== null;
    setButton(view.fullScreen, full ? 'small' : 'full', full ? 'Leave full screen (f)' : 'Full screen (f)');
  });
  return { toggleFullScreen, togglePictureInPicture };
}

/** Asked for before there is a picture, or without a gesture: nothing happens, as the viewer sees. */
function notNow(): void {}
