import { decodeAmf0, EcmaArray, encodeAmf0 } from '../amf/amf0.js';
import { type AmfValue, isAmfObject } from '../amf/value.js';
import type { Metadata, MetadataValue } from '../sample.js';
import type { TrackConfig } from '../track-config.js';
import { FLV_CODECS } from './codec-ids.js';

/**
 * The metadata of a script data tag or an RTMP data message.
 *
 * @returns undefined for data of another name
 */
export function readMetadataTag(body: Buffer): Metadata | undefined {
  const values = decodeAmf0(body);
  if (values[0] === '@setDataFrame') values.shift();
  const [name, value] = values;
  if (name !== 'onMetaData' || value === undefined || !isAmfObject(value)) return undefined;
  return value;
}

/** What an encoder says that is still true of our copy, whatever became of the tracks. */
const KEPT = ['encoder', 'title', 'author', 'description'] as const;

/** An `onMetaData` body that describes the tracks. FLV §E.5. */
export function flvMetadataBody(tracks: readonly TrackConfig[], source: Metadata = {}): Buffer {
  const metadata: Record<string, AmfValue> = {};
  for (const config of tracks) {
    const { fourCc, legacyId } = FLV_CODECS[config.codec];
    const id = legacyId ?? Buffer.from(fourCc, 'latin1').readUInt32BE();
    if (config.kind === 'video') describeVideo(metadata, config, id, source);
    else Object.assign(metadata, describeAudio(config, id, source));
  }
  for (const key of KEPT) if (typeof source[key] === 'string') metadata[key] = source[key];
  return encodeAmf0('onMetaData', new EcmaArray(metadata));
}

function describeVideo(
  metadata: Record<string, AmfValue>,
  config: TrackConfig & { kind: 'video' },
  id: number,
  source: Metadata,
): void {
  const number = (key: string, known: number | undefined) => {
    const value = known === undefined || known === 0 ? numberIn(source[key]) : known;
    if (value !== undefined) metadata[key] = value;
  };
  number('width', config.width);
  number('height', config.height);
  number('framerate', config.frameRate);
  number('videodatarate', undefined);
  metadata.videocodecid = id;
}

function describeAudio(
  config: TrackConfig & { kind: 'audio' },
  id: number,
  source: Metadata,
): Record<string, AmfValue> {
  const rate = numberIn(source.audiodatarate);
  return {
    audiocodecid: id,
    audiosamplerate: config.sampleRate,
    audiosamplesize: 16,
    audiochannels: config.channels,
    stereo: config.channels > 1,
    ...(rate === undefined ? {} : { audiodatarate: rate }),
  };
}

function numberIn(value: MetadataValue): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}
