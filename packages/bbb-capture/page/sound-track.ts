import { KIND, type Uplink } from './uplink.js';

const CHANNELS = 2;
/** Sample rate, before the samples. */
const HEADER_BYTES = 4;

/** Sends the sound of a captured tab as it is: interleaved stereo of 32-bit floats. */
export async function sendSound(track: MediaStreamTrack, uplink: Uplink): Promise<void> {
  const reader = new MediaStreamTrackProcessor<AudioData>({ track, maxBufferSize: 50 }).readable.getReader();
  for (;;) {
    const { value: block, done } = await reader.read();
    if (done) break;
    const { numberOfFrames: frames, numberOfChannels: channels, sampleRate, timestamp } = block;
    const planes = Array.from({ length: CHANNELS }, (_, channel) => {
      const plane = new Float32Array(frames);
      block.copyTo(plane, { planeIndex: Math.min(channel, channels - 1), format: 'f32-planar' });
      return plane;
    });
    block.close();
    const payload = new DataView(new ArrayBuffer(HEADER_BYTES + frames * CHANNELS * 4));
    payload.setUint32(0, sampleRate);
    planes.forEach((plane, channel) => {
      for (let at = 0; at < frames; at++) {
        payload.setFloat32(HEADER_BYTES + (at * CHANNELS + channel) * 4, plane[at] ?? 0, true);
      }
    });
    uplink.send(KIND.sound, 0, timestamp, new Uint8Array(payload.buffer));
  }
  uplink.say(KIND.ended, 'the sound of the tab has ended');
}
