import type { TrackId } from '../track-config.js';
import { CueReader, type DataReader, Id3Reader } from './data-readers.js';
import type { ElementaryReader } from './elementary-reader.js';
import { FramedAudioReader } from './framed-audio-reader.js';
import { NalReader } from './nal-reader.js';
import { OpusReader } from './opus-reader.js';
import type { AnnouncedStream, Descriptor } from './psi-reader.js';
import { CUE_FORMAT, DESCRIPTOR, ID3_FORMAT, OPUS_EXTENSION_TAG, STREAM_TYPE } from './stream-types.js';

/** What an announced stream is to us: a track that can be read, or something else. */
export type StreamReading =
  | { readonly kind: 'video' | 'audio'; readonly create: (track: TrackId) => ElementaryReader }
  | { readonly kind: 'data'; readonly create: () => DataReader }
  | { readonly kind: 'unsupported'; readonly reason: string };

const audio = (create: (track: TrackId) => ElementaryReader): StreamReading => ({ kind: 'audio', create });
const video = (codec: 'h264' | 'hevc'): StreamReading => ({
  kind: 'video',
  create: (track) => new NalReader(track, codec),
});
const mp3 = audio((track) => new FramedAudioReader(track, 'mp3'));
const unsupported = (reason: string): StreamReading => ({ kind: 'unsupported', reason });

/** By stream type, ISO 13818-1 table 2-34 and the user private types that ATSC gave out. */
const READINGS: Readonly<Record<number, StreamReading>> = {
  [STREAM_TYPE.h264]: video('h264'),
  [STREAM_TYPE.hevc]: video('hevc'),
  [STREAM_TYPE.adts]: audio((track) => new FramedAudioReader(track, 'adts')),
  [STREAM_TYPE.mpeg1Audio]: mp3,
  [STREAM_TYPE.mpeg2Audio]: mp3,
  1: unsupported('MPEG-1 video'),
  2: unsupported('MPEG-2 video'),
  5: unsupported('private sections'),
  16: unsupported('MPEG-4 part 2 video'),
  17: unsupported('AAC in LATM; send it in ADTS'),
  33: unsupported('JPEG 2000 video'),
  51: unsupported('VVC video'),
  129: unsupported('AC-3 audio'),
  135: unsupported('E-AC-3 audio'),
};

/** By descriptor of private data, ETSI EN 300 468 table 12. */
const PRIVATE_DESCRIPTORS: Readonly<Record<number, string>> = {
  86: 'teletext',
  89: 'DVB subtitles',
  106: 'AC-3 audio',
  122: 'E-AC-3 audio',
  123: 'DTS audio',
};
const PRIVATE_FORMATS: Readonly<Record<string, string>> = {
  'AC-3': 'AC-3 audio',
  EAC3: 'E-AC-3 audio',
  AV01: 'AV1 video',
  KLVA: 'KLV metadata',
};

/** @param program descriptors of the programme that the stream is in */
export function readingOf(stream: AnnouncedStream, program: readonly Descriptor[]): StreamReading {
  if (stream.streamType === STREAM_TYPE.privateData) return privateReading(stream);
  if (stream.streamType === STREAM_TYPE.metadata) return metadataReading(stream);
  if (stream.streamType === STREAM_TYPE.scte35) return cueReading(formatOf(stream.descriptors) ?? formatOf(program));
  const type = `0x${stream.streamType.toString(16).padStart(2, '0')}`;
  return READINGS[stream.streamType] ?? unsupported(`stream type ${type}`);
}

const formatOf = (descriptors: readonly Descriptor[]): string | undefined =>
  descriptors.find(({ tag }) => tag === DESCRIPTOR.registration)?.data.toString('latin1', 0, 4);

function metadataReading({ descriptors }: AnnouncedStream): StreamReading {
  const isId3 = descriptors.some(({ tag, data }) => tag === DESCRIPTOR.metadata && data.includes(ID3_FORMAT));
  return isId3 ? { kind: 'data', create: () => new Id3Reader() } : unsupported('timed metadata other than ID3');
}

/** The type is for private use: a programme of another's registration may have DTS sound there. */
function cueReading(format: string | undefined): StreamReading {
  if (format === undefined || format === CUE_FORMAT) return { kind: 'data', create: () => new CueReader() };
  return unsupported(`stream type 0x86 of format ${JSON.stringify(format)}`);
}

/** Private data: its descriptors tell what it is. */
function privateReading({ descriptors }: AnnouncedStream): StreamReading {
  const find = (tag: number) => descriptors.find((descriptor) => descriptor.tag === tag)?.data;
  const format = find(DESCRIPTOR.registration)?.toString('latin1', 0, 4);
  if (format === 'Opus') {
    const extension = find(DESCRIPTOR.extension);
    const layout = extension?.[0] === OPUS_EXTENSION_TAG ? extension[1] : undefined;
    if (layout !== 1 && layout !== 2)
      return unsupported(`Opus with channel layout ${layout ?? 'untold'}; 1 and 2 are read`);
    return audio((track) => new OpusReader(track, layout));
  }
  if (format !== undefined)
    return unsupported(PRIVATE_FORMATS[format] ?? `private data of format ${JSON.stringify(format)}`);
  const named = descriptors.find((descriptor) => descriptor.tag in PRIVATE_DESCRIPTORS);
  return unsupported((named && PRIVATE_DESCRIPTORS[named.tag]) ?? 'private data');
}
