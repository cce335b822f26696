import type { Socket } from 'node:net';
import type { RtmpMediaMessage } from '../wire/message.js';

export interface RtmpConnectionInfo {
  readonly id: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** RTMPS. */
  readonly encrypted: boolean;
  readonly app: string;
  readonly tcUrl: string;
  readonly flashVer?: string;
  readonly pageUrl?: string;
  readonly swfUrl?: string;
}

/** A publish or play as the client asked for it. Names are as sent: the router's grammar decides on them. */
export interface RtmpStreamRequest {
  readonly connection: RtmpConnectionInfo;
  readonly app: string;
  readonly stream: string;
  /** Of app and stream together. */
  readonly query: URLSearchParams;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** Takes what a publisher sends. An error thrown by `message` ends the connection, with its message in the log. */
export interface RtmpPublisher {
  message(message: RtmpMediaMessage): void;
  /** Once, when the publish ends, for whatever reason. */
  closed(reason: string): void;
}

/** Where an accepted play is written: whole chunks, made by `encodeMessage`. */
export interface RtmpPlayOutput {
  readonly socket: Socket;
  readonly chunkSize: number;
  readonly messageStreamId: number;
  /** Ends the connection politely. */
  end(reason: string): void;
}

/** Serves one player. */
export interface RtmpPlayer {
  start(output: RtmpPlayOutput): void;
  /** The player turned sound or picture off or on. */
  receive?(audio: boolean, video: boolean): void;
  /** Once, when the play ends, for whatever reason. */
  closed(reason: string): void;
}

/** The owner's hold on a connection. */
export interface RtmpConnectionControl {
  /** Ends the connection politely, with the reason in the log. */
  end(reason: string): void;
  /** Asks the client to connect anew. */
  reconnect(description: string, tcUrl?: string): void;
  bytesReceived(): number;
  bytesSent(): number;
}

export interface RtmpHandlers {
  /** Resolves to accept. Throws RtmpRefusal to refuse, anything else to end the connection. */
  publish(request: RtmpStreamRequest, control: RtmpConnectionControl): Promise<RtmpPublisher>;
  play(request: RtmpStreamRequest, control: RtmpConnectionControl): Promise<RtmpPlayer>;
}

type LogMethod = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** The log that the server needs. pino's loggers fit. */
export interface RtmpLog {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
}
