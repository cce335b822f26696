import type { VideoTrackConfig } from '@sluice/media';

const FOURCC: Readonly<Partial<Record<VideoTrackConfig['codec'], string>>> = { vp8: 'VP80', vp9: 'VP90', av1: 'AV01' };
const HEADER_LENGTH = 32;
const FRAME_HEADER_LENGTH = 12;
/** Before the OBUs of an av1C record, AV1 in ISOBMFF §2.3.3. */
const AV1C_FRONT = 4;

/** Keyframes of VP8, VP9 or AV1 as an IVF file: what MPEG-TS has no place for. */
export function ivfFile(config: VideoTrackConfig, pictures: readonly Buffer[]): Buffer {
  const { codec, width, height } = config;
  const header = Buffer.alloc(HEADER_LENGTH);
  header.write(`DKIF\0\0`, 'latin1');
  header.writeUInt16LE(HEADER_LENGTH, 6);
  header.write(FOURCC[codec] ?? '', 8, 'latin1');
  header.writeUInt16LE(width & 0xffff, 12);
  header.writeUInt16LE(height & 0xffff, 14);
  header.writeUInt32LE(30, 16);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(pictures.length, 24);
  return Buffer.concat([header, ...pictures.flatMap((picture, time) => frame(config, picture, time))]);
}

function frame({ codec, description }: VideoTrackConfig, picture: Buffer, time: number): Buffer[] {
  const pieces = codec === 'av1' ? [description.subarray(AV1C_FRONT), picture] : [picture];
  const header = Buffer.alloc(FRAME_HEADER_LENGTH);
  header.writeUInt32LE(pieces.reduce((sum, { length }) => sum + length, 0));
  header.writeUInt32LE(time, 4);
  return [header, ...pieces];
}
