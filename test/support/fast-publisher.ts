import { flvOpeningMessages, flvSampleMessage, type Sample, type TrackConfig } from '@sluice/media';
import { RtmpClient } from '@sluice/rtmp';

/** Publishes samples over RTMP as fast as they are taken, with their own times. The connection is left open. */
export async function publishFast(
  url: string,
  configs: readonly TrackConfig[],
  samples: readonly Sample[],
): Promise<RtmpClient> {
  const client = await RtmpClient.connect(url);
  await client.publish();
  for (const message of flvOpeningMessages(configs)) client.send(message);
  for (const sample of samples) {
    const config = configs.find(({ track }) => track === sample.track);
    if (config === undefined) continue;
    if (!client.send(flvSampleMessage(sample, config))) await client.drained();
  }
  return client;
}
