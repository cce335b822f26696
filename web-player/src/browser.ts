import type { BrowserAbilities } from './protocol.js';

interface MediaSourceKind {
  isTypeSupported(mimeType: string): boolean;
}

interface MediaWindow {
  MediaSource?: MediaSourceKind;
  ManagedMediaSource?: MediaSourceKind;
}

/** Asks the browser what it can do. */
export function browserAbilities(video: HTMLVideoElement): BrowserAbilities {
  const { MediaSource: full, ManagedMediaSource: managed } = window as MediaWindow;
  const elementPlays = (mimeType: string) => video.canPlayType(mimeType) !== '';
  const { codecs = [] } = globalThis.RTCRtpReceiver?.getCapabilities('video') ?? {};
  const peerCodecs = new Set(codecs.map(({ mimeType }) => mimeType.toLowerCase()));
  return {
    mediaSource: full !== undefined ? 'full' : managed !== undefined ? 'managed' : 'none',
    nativeHls: elementPlays('application/vnd.apple.mpegurl'),
    sourcePlays: (mimeType) => (full ?? managed)?.isTypeSupported(mimeType) ?? false,
    elementPlays,
    peerPlays: (codec) => peerCodecs.has(`video/${codec}`.toLowerCase()),
  };
}
