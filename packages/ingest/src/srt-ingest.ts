import type { Logger, StreamPath } from '@sluice/core';
import { type MediaEvent, TsDemuxer } from '@sluice/media';
import type { SrtSocket } from '@sluice/srt';
import { TrackGathering } from './track-gathering.js';

export interface SrtIngestOptions {
  readonly path: StreamPath;
  readonly log: Logger;
  readonly write: (event: MediaEvent) => void;
  /** Called once, when the connection is closed and all of it was written. */
  readonly over: (reason: string) => void;
}

/** Reads what an SRT connection brings, MPEG-TS, until it is closed. */
export function ingestSrt(socket: SrtSocket, { path, log, write: writeEvent, over }: SrtIngestOptions): void {
  const demuxer = new TsDemuxer();
  const gathering = new TrackGathering(writeEvent);
  const write = (events: ReturnType<TsDemuxer['push']>): void => {
    for (const event of events) {
      if (event.type === 'unsupported-track') {
        const { type: _, ...track } = event;
        log.warn({ path, ...track }, 'a track of the transport stream is left out');
      } else if (event.type !== 'discontinuity') gathering.write(event);
    }
  };
  socket.serve({
    payload: (bytes) => write(demuxer.push(bytes)),
    closed: (reason) => {
      write(demuxer.flush());
      gathering.release();
      const { continuityErrors } = demuxer.stats;
      const { pktRcvLoss, pktRcvDrop, pktRcvRetrans, msRTT } = socket.statistics();
      const line = { pktRcvLoss, pktRcvDrop, pktRcvRetrans, msRTT: Math.round(msRTT), continuityErrors };
      log.info({ path, ...line }, 'SRT publisher is gone');
      over(reason);
    },
  });
}
