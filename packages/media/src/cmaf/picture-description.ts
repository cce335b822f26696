import { parseAv1C } from '../codecs/av1.js';
import { parseAvcC, parseH264Sps } from '../codecs/h264.js';
import { parseHevcSps, parseHvcC } from '../codecs/hevc.js';
import type { ColourDescription, PixelAspect } from '../codecs/picture-format.js';
import { parseVpcC } from '../codecs/vp9.js';
import type { VideoTrackConfig } from '../track-config.js';

/** What a configuration tells of how its pictures are to be shown. */
export interface PictureDescription {
  readonly pixelAspect?: PixelAspect;
  readonly colour?: ColourDescription;
}

/** @throws {MediaError} where the configuration can't be read */
export function pictureDescriptionOf({ codec, description }: VideoTrackConfig): PictureDescription {
  switch (codec) {
    case 'h264': {
      const [first] = parseAvcC(description).sps;
      return first === undefined ? {} : parseH264Sps(first);
    }
    case 'hevc': {
      const [first] = parseHvcC(description).sps;
      return first === undefined ? {} : parseHevcSps(first);
    }
    case 'av1':
      return parseAv1C(description).sequenceHeader;
    case 'vp9':
      return parseVpcC(description);
    case 'vp8':
      return {};
  }
}
