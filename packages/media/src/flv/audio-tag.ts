import { MediaError } from '../errors.js';
import { audioCodecOf, FLV_CODECS, unsupportedLegacyAudio } from './codec-ids.js';
import { type ExtendedPart, PACKET_TYPE, readExtendedParts } from './extended-header.js';
import type { FlvPacket } from './packet.js';

/** SoundFormat that says "extended header". */
const EXTENDED = 9;
const MULTICHANNEL_CONFIG = 4;
const MULTITRACK = 5;

/**
 * What an audio tag's body says. FLV §E.4.2, Enhanced RTMP v2 "Enhanced Audio".
 *
 * @returns nothing for empty tags and channel layouts
 * @throws {MediaError} `truncated`, `malformed` or `unsupported`
 */
export function readAudioTag(body: Buffer): FlvPacket[] {
  const first = body[0];
  if (first === undefined) return [];
  const format = first >> 4;
  if (format === EXTENDED) return readExtendedParts(body, first & 0xf, MULTITRACK).flatMap(readPart);
  if (format === FLV_CODECS.mp3.legacyId) {
    return body.length === 1 ? [] : [audioFrame('mp3', 0, 0, body.subarray(1))];
  }
  if (format !== FLV_CODECS.aac.legacyId) throw unsupportedLegacyAudio(format);
  const payload = body.subarray(2);
  if (body.length < 2) throw new MediaError('truncated', 'an AAC tag of 1 byte');
  if (body[1] === 0) return [{ type: 'config', codec: 'aac', trackNumber: 0, description: payload }];
  return payload.length === 0 ? [] : [audioFrame('aac', 0, 0, payload)];
}

function audioFrame(codec: 'aac' | 'mp3' | 'opus', trackNumber: number, nanoseconds: number, data: Buffer): FlvPacket {
  return { type: 'frame', codec, trackNumber, keyframe: true, compositionTime: 0, nanoseconds, data };
}

function readPart(part: ExtendedPart): FlvPacket[] {
  const { packetType, trackNumber, nanoseconds, payload } = part;
  if (packetType === MULTICHANNEL_CONFIG) return [];
  const codec = audioCodecOf(part.fourCc);
  switch (packetType) {
    case PACKET_TYPE.sequenceStart:
      return [{ type: 'config', codec, trackNumber, description: payload }];
    case PACKET_TYPE.codedFrames:
      return payload.length === 0 ? [] : [audioFrame(codec, trackNumber, nanoseconds, payload)];
    case PACKET_TYPE.sequenceEnd:
      return [{ type: 'end', trackNumber }];
    default:
      throw new MediaError('unsupported', `audio packet type ${packetType}`);
  }
}
