import { get } from 'node:http';
import { FlvDemuxer } from '@sluice/media';

/** An HTTP-FLV viewer that notes when each picture came. */
export interface TimedViewer {
  /** Decoding times in ms, in the order in which they came. */
  readonly times: readonly number[];
  /** When a picture came, on the clock of `performance.now`. */
  readonly arrivals: ReadonlyMap<number, number>;
  readonly ended: boolean;
  leave(): void;
}

export function timedViewer(url: string): Promise<TimedViewer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        reject(new Error(`${url}: HTTP ${response.statusCode}`));
        return;
      }
      const viewer = { times: [] as number[], arrivals: new Map<number, number>(), ended: false };
      const demuxer = new FlvDemuxer();
      response.on('data', (bytes: Buffer) => {
        const now = performance.now();
        for (const event of demuxer.push(bytes)) {
          if (event.type !== 'sample' || event.sample.kind !== 'video') continue;
          const at = event.sample.dts / 1000;
          viewer.times.push(at);
          viewer.arrivals.set(at, now);
        }
      });
      response.on('error', () => undefined);
      response.on('close', () => {
        viewer.ended = true;
      });
      resolve(Object.assign(viewer, { leave: () => void request.destroy() }));
    });
    request.on('error', reject);
  });
}
