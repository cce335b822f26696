import { plainAddress } from '@sluice/core';
import { REJECTION, readSrtUrl, SrtRejected, srtConnect } from '@sluice/srt';
import { ingestSrt } from '../srt-ingest.js';
import { type OpenPullLine, OriginRefusal } from './pull-line.js';

const DENIED: ReadonlySet<number> = new Set([
  REJECTION.unauthorized,
  REJECTION.forbidden,
  REJECTION.badSecret,
  REJECTION.unsecure,
]);

/** Takes an MPEG-TS stream from an SRT peer. */
export const openSrtLine: OpenPullLine = async (url, signal, context) => {
  const target = readSrtUrl(url.reveal());
  const socket = await srtConnect(target, signal).catch((error: unknown) => {
    throw refusalOf(error) ?? error;
  });
  const hangUp = () => socket.close('the pull was stopped');
  signal.addEventListener('abort', hangUp);
  if (signal.aborted) hangUp();
  return {
    protocol: 'srt',
    address: plainAddress(socket.peer.address),
    get received() {
      return socket.statistics().byteRecv;
    },
    transport: () => ({ ...socket.statistics() }),
    run: (sink) =>
      ingestSrt(socket, {
        ...context,
        write: (event) => sink.events([event]),
        over: (reason) => {
          signal.removeEventListener('abort', hangUp);
          sink.over(reason);
        },
      }),
    close: (reason) => socket.close(reason),
  };
};

function refusalOf(error: unknown): OriginRefusal | undefined {
  if (!(error instanceof SrtRejected)) return undefined;
  if (DENIED.has(error.rejection)) return new OriginRefusal('denied', error.message, { cause: error });
  if (error.rejection === REJECTION.notFound) return new OriginRefusal('not-found', error.message, { cause: error });
  return undefined;
}
