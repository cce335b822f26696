import {
  flvConfigBody,
  flvMetadataBody,
  flvSampleBodyHeader,
  flvTagTypeOf,
  millisFromMicros,
  type Sample,
  type TrackConfig,
} from '@sluice/media';
import { RtmpClient } from '@sluice/rtmp';

/** Publishes samples over RTMP as fast as they are taken, with their own times. The connection is left open. */
export async function publishFast(
  url: string,
  configs: readonly TrackConfig[],
  samples: readonly Sample[],
): Promise<RtmpClient> {
  const client = await RtmpClient.connect(url);
  await client.publish();
  client.send({ type: 18, timestamp: 0, payload: flvMetadataBody(configs) });
  for (const config of configs) {
    const body = flvConfigBody(config);
    if (body !== undefined) client.send({ type: flvTagTypeOf(config), timestamp: 0, payload: body });
  }
  for (const sample of samples) {
    const config = configs.find(({ track }) => track === sample.track);
    if (config === undefined) continue;
    const payload = Buffer.concat([flvSampleBodyHeader(sample, config), sample.data]);
    const isTaken = client.send({ type: flvTagTypeOf(config), timestamp: millisFromMicros(sample.dts) >>> 0, payload });
    if (!isTaken) await client.drained();
  }
  return client;
}
