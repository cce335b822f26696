import type { Logger } from '../logger.js';
import type { StreamPath } from '../stream-path.js';
import type { ConvertSound } from '../streams/converted-sound.js';
import { TrackConverter } from './track-converter.js';

const FIX = 'install ffmpeg, or name it by FFMPEG_PATH; or let the encoder send what its viewers can play';

/** Converts sound by ffmpeg. @param ffmpeg its file; undefined where there is none: that is said, once a path */
export function soundConverter(ffmpeg: string | undefined, log: Logger): ConvertSound {
  const told = new Set<StreamPath>();
  return ({ config, to, path, emit }) => {
    if (ffmpeg !== undefined) {
      return new TrackConverter({
        ffmpeg,
        config,
        to,
        path,
        log,
        emit: (event) => {
          if (event.type === 'sample') emit(event.sample);
        },
      });
    }
    if (!told.has(path)) {
      told.add(path);
      log.warn({ path, codec: config.codec, to, fix: FIX }, 'there is no ffmpeg to convert the sound for some viewers');
    }
    return undefined;
  };
}
