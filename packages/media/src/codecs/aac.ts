import type { AudioTrackConfig, TrackId } from '../track-config.js';
import { AAC_OBJECT_TYPE, parseAudioSpecificConfig } from './aac/audio-specific-config.js';

export * from './aac/adts.js';
export {
  type AudioSpecificConfig,
  buildAudioSpecificConfig,
  parseAudioSpecificConfig,
} from './aac/audio-specific-config.js';

const PROFILE_NAMES: Readonly<Record<number, string>> = {
  1: 'Main',
  2: 'LC',
  3: 'SSR',
  4: 'LTP',
  5: 'HE-AAC',
  29: 'HE-AACv2',
  23: 'LD',
  39: 'ELD',
  42: 'xHE-AAC',
};

/** @throws {MediaError} where the configuration can't be read */
export function aacTrackConfig(track: TrackId, asc: Buffer): AudioTrackConfig {
  const config = parseAudioSpecificConfig(asc);
  const signalled = config.ps ? AAC_OBJECT_TYPE.ps : config.sbr ? AAC_OBJECT_TYPE.sbr : config.objectType;
  return {
    kind: 'audio',
    track,
    codec: 'aac',
    codecString: `mp4a.40.${signalled}`,
    description: asc,
    sampleRate: config.extensionSampleRate ?? config.sampleRate,
    channels: config.ps ? 2 : config.channels,
    profile: PROFILE_NAMES[signalled] ?? `object type ${signalled}`,
  };
}
