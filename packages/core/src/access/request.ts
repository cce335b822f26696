import type { Credentials } from './credentials/credentials.js';

/** What can be asked for. `record` and `admin` come from the control plane. */
export type AccessAction = 'publish' | 'play' | 'record' | 'admin';
export type AccessProtocol =
  | 'rtmp'
  | 'rtmps'
  | 'http-flv'
  | 'ws-flv'
  | 'hls'
  | 'dash'
  | 'srt'
  | 'webrtc'
  | 'file'
  | 'api'
  /** The server's own renditions of a stream. */
  | 'transcode'
  /** A picture of a stream. */
  | 'snapshot'
  /** What was recorded of a stream: a file, a clip, or HLS. */
  | 'recording';

/** What clients tell of themselves, unchecked. */
export interface ClientDetails {
  readonly tcUrl?: string | undefined;
  readonly pageUrl?: string | undefined;
  readonly swfUrl?: string | undefined;
}

/** The one question that every door asks, whatever the protocol. */
export interface AccessRequest {
  readonly action: AccessAction;
  readonly protocol: AccessProtocol;
  /** As the client sent it; the gate checks it against the grammar. */
  readonly path: string;
  readonly ip: string;
  readonly userAgent?: string | undefined;
  readonly credentials: Credentials;
  readonly query: URLSearchParams;
  readonly client?: ClientDetails | undefined;
  /** The configuration asks: this server takes a stream from elsewhere, or gives it there. It needs no credential. */
  readonly byConfiguration?: true;
}

/** What the server itself asks, because the configuration wants it: it shows no credential. */
export function configuredRequest(about: Pick<AccessRequest, 'action' | 'protocol' | 'path' | 'ip'>): AccessRequest {
  return { ...about, credentials: {}, query: new URLSearchParams(), byConfiguration: true };
}
