import { h264TrackConfig, type MediaEvent, micros } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { TrackGathering } from './track-gathering.js';

const AVCC = '014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80';
const VIDEO: MediaEvent = { type: 'config', config: h264TrackConfig(0, Buffer.from(AVCC, 'hex')) };
const AUDIO: MediaEvent = {
  type: 'config',
  config: {
    kind: 'audio',
    codec: 'aac',
    track: 1,
    codecString: 'mp4a.40.2',
    description: Buffer.from('1190', 'hex'),
    sampleRate: 48_000,
    channels: 2,
  },
};
const picture = (ms: number): MediaEvent => ({
  type: 'sample',
  sample: {
    track: 0,
    kind: 'video',
    dts: micros(ms * 1000),
    pts: micros(ms * 1000),
    keyframe: ms === 0,
    data: Buffer.alloc(1),
  },
});

describe('TrackGathering', () => {
  const gathered = () => {
    const written: string[] = [];
    const gathering = new TrackGathering((event) => {
      written.push(
        event.type === 'config'
          ? event.config.kind
          : event.type === 'sample'
            ? `${event.sample.dts / 1000}`
            : event.type,
      );
    });
    return { gathering, written };
  };

  it('holds pictures back until the sound is known, and tells of both tracks first', () => {
    const { gathering, written } = gathered();
    for (const event of [VIDEO, picture(0), picture(40)]) gathering.write(event);
    expect(written).toEqual([]);
    gathering.write(AUDIO);
    gathering.write(picture(80));
    expect(written).toEqual(['video', 'audio', '0', '40', '80']);
  });

  it('waits for a second of a stream that has only one track, and no longer', () => {
    const { gathering, written } = gathered();
    for (const event of [VIDEO, picture(0), picture(960)]) gathering.write(event);
    expect(written).toEqual([]);
    gathering.write(picture(1000));
    expect(written).toEqual(['video', '0', '960', '1000']);
  });

  it('loses nothing of a stream that ends before', () => {
    const { gathering, written } = gathered();
    gathering.write(VIDEO);
    gathering.write(picture(0));
    gathering.release();
    gathering.release();
    gathering.write(picture(40));
    expect(written).toEqual(['video', '0', '40']);
  });
});
