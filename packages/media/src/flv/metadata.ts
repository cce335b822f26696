import { decodeAmf0, EcmaArray, encodeAmf0 } from '../amf/amf0.js';
import { type AmfObject, type AmfValue, isAmfObject } from '../amf/value.js';
import type { Metadata, MetadataValue } from '../sample.js';
import type { AudioTrackConfig, Codec, TrackConfig, VideoTrackConfig } from '../track-config.js';
import { flvCodecIdOf } from './codec-ids.js';
import { reservedMetadata } from './recorded-metadata.js';

/**
 * The metadata of a script data tag or an RTMP data message.
 *
 * @returns undefined for data of another name, which isn't read any further
 * @throws {MediaError} where the metadata can't be read
 */
export function readMetadataTag(body: Buffer): Metadata | undefined {
  const at = decodeAmf0(body, 1)[0] === '@setDataFrame' ? 1 : 0;
  if (decodeAmf0(body, at + 1)[at] !== 'onMetaData') return undefined;
  const value = decodeAmf0(body, at + 2)[at + 1];
  return value !== undefined && isAmfObject(value) ? value : undefined;
}

/** What an encoder says that is still true of our copy, whatever became of the tracks. */
const KEPT = ['encoder', 'title', 'author', 'description'] as const;

/**
 * An `onMetaData` body that describes the tracks: the first picture and the first sound as FLV has it (§E.5), further
 * ones by their numbers as Enhanced RTMP v2 does ("Enhancing onMetaData").
 *
 * @param source what the publisher said; fills in what the configurations don't tell
 * @param options.keyframes leaves room for what is known at the end of a file, with an index of so many keyframes
 * @throws {MediaError} `unsupported` for a codec that FLV doesn't carry
 */
export function flvMetadataBody(
  tracks: readonly TrackConfig[],
  source: Metadata = {},
  options: { readonly keyframes?: number | undefined } = {},
): Buffer {
  const metadata: Record<string, AmfValue> = {};
  const byNumber = [...tracks].sort((a, b) => a.track - b.track);
  for (const kind of ['video', 'audio'] as const) {
    const [main, ...others] = byNumber.filter((config) => config.kind === kind);
    if (main === undefined) continue;
    Object.assign(metadata, main.kind === 'video' ? describeVideo(main, source) : describeAudio(main, source));
    if (others.length === 0) continue;
    const map = others.map((config): [number, AmfObject] => [config.track >> 1, describeFurther(config)]);
    metadata[`${kind}TrackIdInfoMap`] = Object.fromEntries(map);
  }
  for (const key of KEPT) if (typeof source[key] === 'string') metadata[key] = source[key];
  if (options.keyframes !== undefined) Object.assign(metadata, reservedMetadata(options.keyframes));
  return encodeAmf0('onMetaData', new EcmaArray(metadata));
}

function describeVideo(config: VideoTrackConfig, source: Metadata): AmfObject {
  return known({
    width: positive(config.width) ?? positive(source.width),
    height: positive(config.height) ?? positive(source.height),
    framerate: positive(config.frameRate) ?? positive(source.framerate),
    videodatarate: positive(source.videodatarate),
    videocodecid: codecId(config.codec),
  });
}

function describeAudio(config: AudioTrackConfig, source: Metadata): AmfObject {
  return known({
    audiocodecid: codecId(config.codec),
    audiosamplerate: config.sampleRate,
    audiosamplesize: 16,
    audiochannels: config.channels,
    stereo: config.channels > 1,
    audiodatarate: positive(source.audiodatarate),
  });
}

function describeFurther(config: TrackConfig): AmfObject {
  if (config.kind === 'video') return describeVideo(config, {});
  return { audiocodecid: codecId(config.codec), samplerate: config.sampleRate, channels: config.channels };
}

/** The legacy number, or the FourCC as a number. */
function codecId(codec: Codec): number {
  const { fourCc, legacyId } = flvCodecIdOf(codec);
  return legacyId ?? Buffer.from(fourCc, 'latin1').readUInt32BE();
}

function known(entries: AmfObject): AmfObject {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}

function positive(value: MetadataValue): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}
