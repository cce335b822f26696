import type { AccessProtocol, RelayUrl, Stream, TransportFigures, ViewerSocket } from '@sluice/core';
import type { ViewerOutput } from '../tags/playback.js';

/** A connection to a server that has agreed to take a stream. */
export interface PushLine {
  readonly protocol: AccessProtocol;
  /** The server's address, without a port. */
  readonly address: string;
  /** Where the output's bytes go. */
  readonly socket: ViewerSocket;
  /** The output of a stream that the line takes. */
  outputOf(stream: Stream): ViewerOutput;
  /** What its protocol tells of the line. */
  transport?(): TransportFigures;
  /** Ends the publish and hangs up. */
  close(reason: string): void;
  /** Resolves, when it is over, with why. */
  readonly over: Promise<string>;
}

/**
 * Connects, and asks to publish.
 *
 * @param signal gives up, or hangs up
 */
export type OpenPushLine = (url: RelayUrl, signal: AbortSignal) => Promise<PushLine>;
