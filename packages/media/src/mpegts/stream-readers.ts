import type { TrackId } from '../track-config.js';
import type { ElementaryReader } from './elementary-reader.js';
import { FramedAudioReader } from './framed-audio-reader.js';
import { NalReader } from './nal-reader.js';
import { OpusReader } from './opus-reader.js';
import type { AnnouncedStream } from './psi-reader.js';
import { DESCRIPTOR, OPUS_EXTENSION_TAG, STREAM_TYPE } from './stream-types.js';

/** What an announced stream is to us: a track that can be read, or something else. */
export type StreamReading =
  | { readonly kind: 'video' | 'audio'; readonly create: (track: TrackId) => ElementaryReader }
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
  21: unsupported('timed metadata'),
  33: unsupported('JPEG 2000 video'),
  51: unsupported('VVC video'),
  129: unsupported('AC-3 audio'),
  134: unsupported('SCTE-35 cues'),
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

export function readingOf(stream: AnnouncedStream): StreamReading {
  if (stream.streamType === STREAM_TYPE.privateData) return privateReading(stream);
  const type = `0x${stream.streamType.toString(16).padStart(2, '0')}`;
  return READINGS[stream.streamType] ?? unsupported(`stream type ${type}`);
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
