import { type OutputKind, plainAddress } from '@sluice/core';
import { readSrtUrl, srtConnect } from '@sluice/srt';
import { SrtViewerSocket } from '../srt-viewer-socket.js';
import type { TsOutput } from '../ts/ts-output.js';
import type { OpenPushLine } from './push-line.js';

/** Publishes to SRT peers: MPEG-TS. */
export function srtPushLines(kind: OutputKind<TsOutput>): OpenPushLine {
  return async (url, signal) => {
    const socket = await srtConnect(readSrtUrl(url.reveal()), signal);
    const hangUp = () => socket.close('the push was stopped');
    signal.addEventListener('abort', hangUp);
    const over = new Promise<string>((resolve) => {
      socket.serve({
        // Those who take a stream have nothing to tell us.
        payload: () => undefined,
        closed: (reason) => {
          signal.removeEventListener('abort', hangUp);
          resolve(reason);
        },
      });
    });
    if (signal.aborted) hangUp();
    return {
      protocol: 'srt',
      address: plainAddress(socket.peer.address),
      socket: new SrtViewerSocket(socket),
      outputOf: (stream) => stream.output(kind),
      transport: () => ({ ...socket.statistics() }),
      close: (reason) => socket.close(reason),
      over,
    };
  };
}
