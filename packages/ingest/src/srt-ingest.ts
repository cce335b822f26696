import type { Logger, Publication } from '@sluice/core';
import { TsDemuxer } from '@sluice/media';
import type { SrtSocket } from '@sluice/srt';
import { TrackGathering } from './track-gathering.js';

/**
 * Feeds a publication from an SRT connection that brings MPEG-TS, until either is over.
 *
 * @param over called once, when the connection is closed and the publication has ended
 */
export function ingestSrt(
  socket: SrtSocket,
  publication: Publication,
  { log, over }: { log: Logger; over: (reason: string) => void },
): void {
  const demuxer = new TsDemuxer();
  const gathering = new TrackGathering((event) => publication.write(event));
  const { path } = publication.session;
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
      publication.end(reason);
      over(reason);
    },
  });
}
