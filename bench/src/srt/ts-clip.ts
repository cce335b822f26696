import { readFile } from 'node:fs/promises';
import { FlvDemuxer, TsMuxer } from '@sluice/media';
import { PAYLOAD_BYTES } from './steady.js';

/** A payload of seven MPEG-TS packets, and when it is due. */
export interface DuePayload {
  readonly ms: number;
  readonly bytes: Buffer;
}

/** The bench's clip as an SRT encoder would send it. */
export async function tsClip(file: string): Promise<DuePayload[]> {
  const events = new FlvDemuxer().push(await readFile(file));
  const muxer = new TsMuxer(events.flatMap((event) => (event.type === 'config' ? [event.config] : [])));
  const payloads: DuePayload[] = [];
  let rest = Buffer.alloc(0);
  const samples = events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
  for (const sample of samples.sort((a, b) => a.dts - b.dts)) {
    const tables = sample.kind === 'video' && sample.keyframe ? [muxer.tables()] : [];
    rest = Buffer.concat([rest, ...tables, muxer.sample(sample)]);
    for (; rest.length >= PAYLOAD_BYTES; rest = rest.subarray(PAYLOAD_BYTES)) {
      payloads.push({ ms: sample.dts / 1000, bytes: rest.subarray(0, PAYLOAD_BYTES) });
    }
  }
  return payloads;
}
