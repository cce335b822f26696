/** The number of a track inside its stream: small, stable for the life of a publication. */
export type TrackId = number;

export type VideoCodec = 'h264' | 'hevc' | 'av1' | 'vp9' | 'vp8';
export type AudioCodec = 'aac' | 'mp3' | 'opus';
export type Codec = VideoCodec | AudioCodec;

interface TrackConfigBase {
  readonly track: TrackId;
  /** The codec's name for browsers, RFC 6381: `avc1.64001f`, `mp4a.40.2`. */
  readonly codecString: string;
  /** Profile in the codec's own words (`High`, `Main`, `LC`), where known. */
  readonly profile?: string;
}

/** What a decoder needs to know before the first sample of a video track: the "sequence header". */
export interface VideoTrackConfig extends TrackConfigBase {
  readonly kind: 'video';
  readonly codec: VideoCodec;
  /** The decoder configuration record: avcC, hvcC, av1C or vpcC, without a box header; empty (vp8). */
  readonly description: Buffer;
  /** Luma samples after cropping. 0 where the configuration does not tell (VP9). */
  readonly width: number;
  readonly height: number;
  /** Level as people write it: `3.1`. */
  readonly level?: string;
  /** Frames per second, where the bitstream promises it. */
  readonly frameRate?: number;
}

/** What a decoder needs to know before the first sample of an audio track. */
export interface AudioTrackConfig extends TrackConfigBase {
  readonly kind: 'audio';
  readonly codec: AudioCodec;
  /** AudioSpecificConfig (aac), OpusHead, RFC 7845 §5.1, from its magic on (opus), empty (mp3). */
  readonly description: Buffer;
  /** Hz, as heard: with SBR the doubled rate. */
  readonly sampleRate: number;
  readonly channels: number;
}

export type TrackConfig = VideoTrackConfig | AudioTrackConfig;

/** Whether two configurations tell a decoder the same thing, so that a repeated one can be passed over. */
export function sameTrackConfig(a: TrackConfig, b: TrackConfig): boolean {
  return (
    a.track === b.track &&
    a.codec === b.codec &&
    a.codecString === b.codecString &&
    a.description.equals(b.description) &&
    (a.kind === 'audio' && b.kind === 'audio'
      ? a.sampleRate === b.sampleRate && a.channels === b.channels
      : a.kind === 'video' && b.kind === 'video' && a.width === b.width && a.height === b.height)
  );
}
