/** The frames of a track, as Chromium gives them: mediacapture-transform, §3. The DOM library lacks it. */
declare class MediaStreamTrackProcessor<T extends VideoFrame | AudioData> {
  constructor(init: { readonly track: MediaStreamTrack; readonly maxBufferSize?: number });
  readonly readable: ReadableStream<T>;
}

/** What getDisplayMedia takes in Chromium beyond the DOM library: screen-capture, §5.2. */
interface TabCaptureOptions extends DisplayMediaStreamOptions {
  readonly selfBrowserSurface: 'include' | 'exclude';
  readonly surfaceSwitching: 'include' | 'exclude';
  readonly systemAudio: 'include' | 'exclude';
}
