import { describe, expect, it } from 'vitest';
import { decodeAmf0, EcmaArray, encodeAmf0 } from '../amf/amf0.js';
import type { AudioTrackConfig, VideoTrackConfig } from '../track-config.js';
import { flvMetadataBody } from './metadata.js';
import { FlvSampleReader } from './sample-reader.js';

const read = (body: Buffer) => new FlvSampleReader().read(18, 0, body);
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
const written = (...args: Parameters<typeof flvMetadataBody>) => plain(decodeAmf0(flvMetadataBody(...args))[1]);

const video: VideoTrackConfig = {
  kind: 'video',
  track: 0,
  codec: 'h264',
  codecString: 'avc1.4d400a',
  description: Buffer.alloc(0),
  width: 1280,
  height: 720,
  frameRate: 25,
};
const audio: AudioTrackConfig = {
  kind: 'audio',
  track: 1,
  codec: 'aac',
  codecString: 'mp4a.40.2',
  description: Buffer.alloc(0),
  sampleRate: 48_000,
  channels: 2,
};

describe('reading', () => {
  it('takes onMetaData, an object or an ECMA array, also inside @setDataFrame', () => {
    const event = { type: 'metadata', metadata: { width: 1280 } };
    expect(read(encodeAmf0('onMetaData', { width: 1280 }))).toEqual([event]);
    expect(read(encodeAmf0('onMetaData', new EcmaArray({ width: 1280 })))).toEqual([event]);
    expect(read(encodeAmf0('@setDataFrame', 'onMetaData', { width: 1280 }))).toEqual([event]);
  });

  it('passes over data of other names without reading it', () => {
    const movieClip = Buffer.from([0x04]);
    expect(read(Buffer.concat([encodeAmf0('onTextData'), movieClip]))).toEqual([]);
    expect(read(Buffer.concat([encodeAmf0('@setDataFrame', 'onCuePoint'), movieClip]))).toEqual([]);
    expect(read(Buffer.concat([encodeAmf0('onMetaData', { width: 1 }), movieClip]))).toHaveLength(1);
    for (const body of [encodeAmf0(), encodeAmf0('onMetaData'), encodeAmf0('onMetaData', 'text'), encodeAmf0(7)]) {
      expect(read(body)).toEqual([]);
    }
  });

  it('refuses metadata that can not be read', () => {
    expect(() => read(Buffer.concat([encodeAmf0('onMetaData'), Buffer.from([0x04])]))).toThrow(
      expect.objectContaining({ name: 'MediaError', code: 'unsupported' }),
    );
  });
});

describe('writing', () => {
  it('describes the tracks', () => {
    expect(decodeAmf0(flvMetadataBody([video]))[0]).toBe('onMetaData');
    expect(written([video, audio])).toEqual({
      width: 1280,
      height: 720,
      framerate: 25,
      videocodecid: 7,
      audiocodecid: 10,
      audiosamplerate: 48_000,
      audiosamplesize: 16,
      audiochannels: 2,
      stereo: true,
    });
  });

  it('numbers codecs that have no number by their fourcc', () => {
    expect(written([{ ...video, codec: 'av1' }]).videocodecid).toBe(0x61763031);
    expect(written([{ ...audio, codec: 'opus' }]).audiocodecid).toBe(0x4f707573);
  });

  it('fills in from the publisher what the configurations do not tell, and keeps nothing that may have become false', () => {
    const source = {
      encoder: 'obs',
      title: 7,
      width: 99,
      height: 99,
      framerate: 30,
      videodatarate: 2500,
      audiodatarate: Number.NaN,
      duration: 12,
      filesize: 3,
    };
    const { frameRate: _, ...unknownRate } = video;
    const metadata = written([{ ...unknownRate, codec: 'vp9', width: 0, height: 0 }, audio], source);
    expect(metadata).toMatchObject({ encoder: 'obs', width: 99, height: 99, framerate: 30, videodatarate: 2500 });
    for (const key of ['title', 'audiodatarate', 'duration', 'filesize']) expect(metadata).not.toHaveProperty(key);
    expect(written([video], source)).toMatchObject({ width: 1280, height: 720, framerate: 25 });
  });

  it('describes further tracks by their numbers, whatever the order', () => {
    const metadata = written([
      { ...video, track: 4, codec: 'hevc', width: 640, height: 360 },
      { ...audio, track: 3, codec: 'opus', channels: 1 },
      audio,
      video,
    ]);
    expect(metadata).toMatchObject({ width: 1280, videocodecid: 7, audiocodecid: 10 });
    expect(metadata.videoTrackIdInfoMap).toEqual({
      2: { width: 640, height: 360, framerate: 25, videocodecid: 0x68766331 },
    });
    expect(metadata.audioTrackIdInfoMap).toEqual({ 1: { audiocodecid: 0x4f707573, samplerate: 48_000, channels: 1 } });
  });
});
