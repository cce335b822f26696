/** The controller tab: captures the meeting's tab, which the browser's flags choose by its title. */
import { type PictureOptions, PictureTrack } from './picture-track.js';
import { sendSound } from './sound-track.js';
import { KIND, Uplink } from './uplink.js';

/** Exchanges at the start, from which the server learns how this page's clock stands to its own… */
const CLOCK_ROUNDS = 20;
const CLOCK_PAUSE_MS = 5;
/** …and later: on a machine that was busy at the start, all of the first came late, and sound with them for good. */
const CLOCK_LATER_MS = 500;

async function start(options: PictureOptions): Promise<void> {
  const uplink = await Uplink.open();
  const tellTime = () => uplink.send(KIND.clock, 0, performance.now() * 1000, new Uint8Array());
  for (let round = 0; round < CLOCK_ROUNDS; round++) {
    tellTime();
    await new Promise((resolve) => setTimeout(resolve, CLOCK_PAUSE_MS));
  }
  setInterval(tellTime, CLOCK_LATER_MS);
  const { width, height, fps } = options;
  const wanted: TabCaptureOptions = {
    video: {
      displaySurface: 'browser',
      width: { ideal: width, max: width },
      height: { ideal: height, max: height },
      frameRate: { ideal: fps, max: fps },
    },
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 2 },
    selfBrowserSurface: 'exclude',
    surfaceSwitching: 'exclude',
    systemAudio: 'exclude',
  };
  const stream = await navigator.mediaDevices.getDisplayMedia(wanted);
  const [picture] = stream.getVideoTracks();
  const [sound] = stream.getAudioTracks();
  if (picture === undefined || sound === undefined) {
    throw new Error(`the tab gave ${picture === undefined ? 'no picture' : 'no sound'}`);
  }
  await PictureTrack.start(picture, uplink, options);
  sendSound(sound, uplink).catch((error: unknown) => uplink.say(KIND.ended, String(error)));
}

Object.assign(globalThis, { sluiceCapture: start });
