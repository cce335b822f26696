import {
  type AccessRequest,
  type Config,
  type Identity,
  type LifecycleEvents,
  type Place,
  type PlaceScheme,
  type ReasonCode,
  Refusal,
  type RenditionInfo,
  type Session,
  type StreamPath,
  type Traffic,
  type TransportFigures,
} from '@sluice/core';

/** What a door of a worker has been asked, as JSON can carry it. */
export type WireRequest = Omit<AccessRequest, 'query'> & { readonly query: string };

/** What a worker asks the main process, and waits for the answer. */
export type Question =
  | { readonly about: 'admit' | 'inspect'; readonly request: WireRequest }
  | { readonly about: 'resume'; readonly request: WireRequest; readonly before: Session }
  /** May this session's media, which come as frames of the worker's own number, be published? */
  | { readonly about: 'publish'; readonly session: string; readonly stream: number };

/** An admitted session, and whether there is anything to be had of its path. */
export interface WireAdmission {
  readonly session: Session;
  readonly canFetch: boolean;
}

export type Answer = WireAdmission | { readonly identity: Identity } | { readonly isPublished: true };

/** What a session has come to since it was told last. */
export interface SessionFigures {
  readonly session: string;
  readonly traffic: Traffic;
  readonly addresses?: readonly string[] | undefined;
  readonly transport?: TransportFigures | undefined;
}

/** PEM. */
export interface WireCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface WireRefusal {
  readonly code: ReasonCode;
  readonly message: string;
  /** Base URLs of other servers that would grant it, by scheme. */
  readonly elsewhere?: Readonly<Partial<Record<PlaceScheme, string>>>;
}

/** What a worker uses of the machine. */
export interface WorkerUsage {
  /** Cores that it keeps busy. */
  readonly cpu: number;
  /** CPU time since it began. */
  readonly cpuSeconds: number;
  /** Resident. */
  readonly memoryBytes: number;
}

/** What a worker says. */
export type FromWorker =
  /** Connections can be handed to it. */
  | { readonly type: 'ready' }
  | { readonly type: 'question'; readonly id: number; readonly question: Question }
  | {
      readonly type: 'session-closed';
      readonly session: string;
      readonly reason: string;
      readonly traffic: Traffic;
    }
  | { readonly type: 'traffic'; readonly sessions: readonly SessionFigures[] }
  /** Somebody there waits for a stream. */
  | { readonly type: 'watch'; readonly path: StreamPath; readonly viewer: string | undefined }
  /** Nobody there watches it any more. */
  | { readonly type: 'unwatch'; readonly stream: number }
  /** Viewers of streams there, where their number has changed. */
  | { readonly type: 'viewers'; readonly streams: readonly (readonly [stream: number, viewers: number])[] }
  | { readonly type: 'keyframe'; readonly stream: number }
  /** A rendition is to be made. */
  | { readonly type: 'want-rendition'; readonly path: StreamPath }
  | { readonly type: 'segment'; readonly segment: LifecycleEvents['hls-segment'] }
  | {
      readonly type: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly fields: Readonly<Record<string, unknown>>;
      readonly message: string;
    }
  /** Connections that it was handed are gone. */
  | { readonly type: 'connections-closed'; readonly ids: readonly number[] }
  | ({ readonly type: 'usage' } & WorkerUsage);

/** What the main process says. */
export type ToWorker =
  | {
      readonly type: 'start';
      readonly worker: number;
      /** How many there are. */
      readonly workers: number;
      readonly config: Config;
      readonly certificate: WireCertificate | undefined;
      /** Socket of the main process that answers requests which the worker can't. */
      readonly requestSocket: string;
      readonly live: readonly StreamPath[];
    }
  | { readonly type: 'config'; readonly config: Config }
  | { readonly type: 'certificate'; readonly certificate: WireCertificate }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly type: 'refusal'; readonly id: number; readonly refusal: WireRefusal }
  | { readonly type: 'cut'; readonly session: string; readonly reason: string }
  /** The peer is to be asked to go on elsewhere. */
  | { readonly type: 'move'; readonly session: string; readonly baseUrl: string | undefined; readonly reason: string }
  /** Frames of a stream come from now on, under that number. */
  | {
      readonly type: 'relay';
      readonly path: StreamPath;
      readonly stream: number;
      readonly session: Session;
    }
  | { readonly type: 'no-relay'; readonly path: StreamPath; readonly refusal: WireRefusal }
  /** No more frames come, though the stream may go on. */
  | { readonly type: 'relay-lost'; readonly stream: number; readonly reason: string }
  | { readonly type: 'live'; readonly path: StreamPath }
  | { readonly type: 'over'; readonly path: StreamPath }
  | {
      readonly type: 'renditions';
      readonly of: readonly (readonly [StreamPath, readonly RenditionInfo[]])[];
    }
  /** Viewers are to go to other servers. */
  | { readonly type: 'draining'; readonly places: readonly Place[] }
  | { readonly type: 'stop'; readonly reason: string; readonly patienceMs: number };

const SCHEMES: readonly PlaceScheme[] = ['http', 'https', 'rtmp', 'rtmps'];

export function toWire({ query, ...request }: AccessRequest): WireRequest {
  return { ...request, query: query.toString() };
}

export function fromWire({ query, ...request }: WireRequest): AccessRequest {
  return { ...request, query: new URLSearchParams(query) };
}

/** What a refusal is to the other process. @throws what is none */
export function refusalToWire(error: unknown): WireRefusal {
  if (!(error instanceof Refusal)) throw error;
  const { code, message } = error;
  const places = SCHEMES.flatMap((scheme): [PlaceScheme, string][] => {
    const base = error.elsewhere(scheme);
    return base === undefined ? [] : [[scheme, base]];
  });
  return places.length === 0 ? { code, message } : { code, message, elsewhere: Object.fromEntries(places) };
}

export function refusalFromWire({ code, message, elsewhere = {} }: WireRefusal): Refusal {
  return new Refusal(code, message, {
    elsewhere: (schemes) => schemes.flatMap((scheme) => elsewhere[scheme] ?? [])[0],
  });
}
