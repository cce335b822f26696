import type { Ports } from '../../feed/views.js';

/** An address of a stream. */
export interface StreamAddress {
  readonly kind: AddressKind;
  readonly text: string;
  /** For a phone's camera: what a phone opens by itself. */
  readonly qr: boolean;
}

export type AddressKind =
  | 'page'
  | 'hls'
  | 'http-flv'
  | 'ws-flv'
  | 'dash'
  | 'whep'
  | 'rtmp'
  | 'srt'
  | 'poster'
  | 'vlc'
  | 'ffplay'
  | 'embed'
  | 'obs-server'
  | 'obs-key'
  | 'ffmpeg'
  | 'srt-publish'
  | 'whip'
  | 'publish-page';

export interface Place {
  readonly hostname: string;
  /** The console came over TLS. */
  readonly isSecure: boolean;
  readonly ports: Ports;
}

const DEFAULT_RTMP = 1935;

/** Where pages and media are to be had over HTTP. */
export function mediaOrigin({ hostname, isSecure, ports }: Place): string {
  // What a page over TLS loads has to come over TLS.
  return isSecure && ports.https !== null ? `https://${hostname}:${ports.https}` : `http://${hostname}:${ports.http}`;
}

/** Addresses to watch a stream by. */
export function watchAddresses(path: string, place: Place): StreamAddress[] {
  const { hostname, ports } = place;
  const origin = mediaOrigin(place);
  const hls = `${origin}/${path}.m3u8`;
  const element = `<sluice-player src="${origin}/${path}" controls muted autoplay></sluice-player>`;
  const embed = `<script type="module" src="${origin}/assets/sluice-player.js"></script>\n${element}`;
  return [
    { kind: 'page', text: `${origin}/player/${path}`, qr: true },
    { kind: 'hls', text: hls, qr: true },
    { kind: 'http-flv', text: `${origin}/${path}.flv`, qr: false },
    { kind: 'ws-flv', text: `${origin.replace(/^http/, 'ws')}/${path}.flv`, qr: false },
    { kind: 'dash', text: `${origin}/${path}.mpd`, qr: false },
    ...(ports.webrtc === null ? [] : [{ kind: 'whep' as const, text: `${origin}/whep/${path}`, qr: false }]),
    { kind: 'rtmp', text: rtmpUrl(hostname, ports.rtmp, path), qr: true },
    ...(ports.srt === null
      ? []
      : [{ kind: 'srt' as const, text: srtUrl(hostname, ports.srt, path, 'request'), qr: true }]),
    { kind: 'vlc', text: `vlc ${hls}`, qr: false },
    { kind: 'ffplay', text: `ffplay -fflags nobuffer ${rtmpUrl(hostname, ports.rtmp, path)}`, qr: false },
    { kind: 'embed', text: embed, qr: false },
    { kind: 'poster', text: `${origin}/${path}.jpg`, qr: false },
  ];
}

/** Addresses to publish a stream by. */
export function publishAddresses(path: string, place: Place): StreamAddress[] {
  const { hostname, ports } = place;
  const origin = mediaOrigin(place);
  const slash = path.lastIndexOf('/');
  const rtmp = rtmpUrl(hostname, ports.rtmp, path);
  const encode = '-c:v libx264 -preset veryfast -bf 0 -g 60 -c:a aac';
  return [
    { kind: 'obs-server', text: rtmpUrl(hostname, ports.rtmp, path.slice(0, slash)), qr: true },
    { kind: 'obs-key', text: path.slice(slash + 1), qr: false },
    { kind: 'ffmpeg', text: `ffmpeg -re -i video.mp4 ${encode} -f flv ${rtmp}`, qr: false },
    ...(ports.srt === null
      ? []
      : [{ kind: 'srt-publish' as const, text: srtUrl(hostname, ports.srt, path, 'publish'), qr: true }]),
    ...(ports.webrtc === null
      ? []
      : [
          { kind: 'whip' as const, text: `${origin}/whip/${path}`, qr: false },
          { kind: 'publish-page' as const, text: `${origin}/publish/${path}`, qr: true },
        ]),
  ];
}

function rtmpUrl(hostname: string, port: number, path: string): string {
  return `rtmp://${hostname}${port === DEFAULT_RTMP ? '' : `:${port}`}/${path}`;
}

function srtUrl(hostname: string, port: number, path: string, mode: 'publish' | 'request'): string {
  return `srt://${hostname}:${port}?streamid=${mode === 'publish' ? 'publish' : 'read'}:${path}`;
}
