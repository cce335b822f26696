import { MediaError } from '../errors.js';
import { FLV_CODECS, unsupportedLegacyVideo, videoCodecOf } from './codec-ids.js';
import { type ExtendedPart, PACKET_TYPE, readExtendedParts } from './extended-header.js';
import type { FlvPacket } from './packet.js';

/** First byte of a tag with an extended header. */
const EXTENDED = 0x80;
const FRAME_TYPE = { key: 1, command: 5 } as const;
/** HEVC by a number that was never in a specification, as some CDNs and cameras send it. */
const LEGACY_HEVC = 12;
const LEGACY_HEADER = 5;
/** FLV §E.4.3.1. */
const AVC_PACKET_TYPE = { sequenceHeader: 0, nalUnits: 1, endOfSequence: 2 } as const;
const METADATA = 4;
const MPEG2TS_SEQUENCE_START = 5;
const MULTITRACK = 6;

/**
 * What a video tag's body says. FLV §E.4.3, Enhanced RTMP v2 "Enhanced Video".
 *
 * @returns nothing for commands, metadata about colours, and empty tags
 * @throws {MediaError} `truncated`, `malformed` or `unsupported`
 */
export function readVideoTag(body: Buffer): FlvPacket[] {
  const first = body[0];
  if (first === undefined) return [];
  const frameType = (first >> 4) & 7;
  if ((first & EXTENDED) === 0) return readLegacy(body, first & 0xf, frameType);
  const packetType = first & 0xf;
  if (frameType === FRAME_TYPE.command && packetType !== METADATA) return [];
  const packets: FlvPacket[] = [];
  for (const part of readExtendedParts(body, packetType, MULTITRACK)) {
    const packet = readPart(part, frameType === FRAME_TYPE.key);
    if (packet !== undefined) packets.push(packet);
  }
  return packets;
}

function readLegacy(body: Buffer, id: number, frameType: number): FlvPacket[] {
  if (frameType === FRAME_TYPE.command) return [];
  const codec = id === FLV_CODECS.h264.legacyId ? 'h264' : id === LEGACY_HEVC ? 'hevc' : undefined;
  if (codec === undefined) throw unsupportedLegacyVideo(id);
  // Some encoders leave the composition time out here, where it means nothing.
  if (body[1] === AVC_PACKET_TYPE.endOfSequence) return [{ type: 'end', trackNumber: 0 }];
  if (body.length < LEGACY_HEADER) throw new MediaError('truncated', `a video tag of ${body.length} bytes`);
  const payload = body.subarray(LEGACY_HEADER);
  switch (body[1]) {
    case AVC_PACKET_TYPE.sequenceHeader:
      return [{ type: 'config', codec, trackNumber: 0, description: payload }];
    case AVC_PACKET_TYPE.nalUnits:
      return [
        {
          type: 'frame',
          codec,
          trackNumber: 0,
          keyframe: frameType === FRAME_TYPE.key,
          compositionTime: body.readIntBE(2, 3),
          nanoseconds: 0,
          data: payload,
        },
      ];
    default:
      throw new MediaError('malformed', `AVC packet type ${body[1]}; 0, 1 and 2 are known`);
  }
}

function readPart(part: ExtendedPart, keyframe: boolean): FlvPacket | undefined {
  const { packetType, trackNumber, nanoseconds, payload } = part;
  if (packetType === METADATA) return undefined;
  const codec = videoCodecOf(part.fourCc);
  switch (packetType) {
    case PACKET_TYPE.sequenceStart:
      return { type: 'config', codec, trackNumber, description: payload };
    case PACKET_TYPE.sequenceEnd:
      return { type: 'end', trackNumber };
    case PACKET_TYPE.codedFrames:
    case PACKET_TYPE.codedFramesX: {
      const timed = packetType === PACKET_TYPE.codedFrames && (codec === 'h264' || codec === 'hevc');
      if (timed && payload.length < 3) throw new MediaError('truncated', 'a composition time is cut off');
      const compositionTime = timed ? payload.readIntBE(0, 3) : 0;
      const data = timed ? payload.subarray(3) : payload;
      return { type: 'frame', codec, trackNumber, keyframe, compositionTime, nanoseconds, data };
    }
    case MPEG2TS_SEQUENCE_START:
      throw new MediaError('unsupported', 'an AV1 sequence start in MPEG-TS form');
    default:
      throw new MediaError('unsupported', `video packet type ${packetType}`);
  }
}
