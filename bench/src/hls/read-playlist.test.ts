import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { PlaylistReader, readPlaylist } from './read-playlist.js';

const PLAYLIST = `#EXTM3U
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.61200,CAN-SKIP-UNTIL=12
#EXT-X-MAP:URI="bench/hls/1f2e3d4c-init1.mp4"
#EXT-X-PART:DURATION=0.20000,URI="bench/hls/1f2e3d4c-16.0.m4s",INDEPENDENT=YES
#EXTINF:2.00000,
bench/hls/1f2e3d4c-16.m4s
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="bench/hls/1f2e3d4c-17.3.m4s"
`;

describe('a playlist, as the viewers of the bench read it', () => {
  it('tells pieces by their numbers', () => {
    expect(readPlaylist(PLAYLIST)).toEqual({
      targetSeconds: 2,
      holdBackSeconds: 0.612,
      init: 'bench/hls/1f2e3d4c-init1.mp4',
      segments: [{ uri: 'bench/hls/1f2e3d4c-16.m4s', segment: 16, part: -1 }],
      parts: [{ uri: 'bench/hls/1f2e3d4c-16.0.m4s', segment: 16, part: 0 }],
      hint: { uri: 'bench/hls/1f2e3d4c-17.3.m4s', segment: 17, part: 3 },
    });
  });

  it('is read once for all who get the same bytes', () => {
    const reader = new PlaylistReader();
    const zipped = gzipSync(PLAYLIST);
    expect(reader.read(Buffer.from(zipped), true)).toBe(reader.read(zipped, true));
    expect(reader.read(Buffer.from(PLAYLIST), false)).toEqual(reader.read(zipped, true));
  });
});
