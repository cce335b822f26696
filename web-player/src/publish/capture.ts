import { widthOf } from './encoding.js';
import type { PublishSettings } from './settings.js';

/** Why there is no picture or no sound to be had. */
export type CaptureErrorCode =
  /** The page came over plain HTTP from another machine. */
  | 'insecure'
  /** The person, or the system, said no. */
  | 'denied'
  | 'no-device'
  /** Another program holds the device. */
  | 'busy'
  /** This browser can't share a screen; phones can't. */
  | 'no-screen'
  | 'failed';

export class CaptureError extends Error {
  override readonly name = 'CaptureError';
  readonly code: CaptureErrorCode;

  constructor(code: CaptureErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The names that browsers give these faults. */
const CODES: Readonly<Record<string, CaptureErrorCode>> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'no-device',
  OverconstrainedError: 'no-device',
  NotReadableError: 'busy',
  AbortError: 'busy',
};

/** Stands for no device at all, where one is chosen. */
export const NO_DEVICE = 'none';

/** The devices that there are; without names until the person has let the page use one. */
export async function listDevices(): Promise<Readonly<Record<'videoinput' | 'audioinput', MediaDeviceInfo[]>>> {
  const all = await media().enumerateDevices();
  const of = (kind: MediaDeviceKind) => all.filter((device) => device.kind === kind && device.deviceId !== '');
  return { videoinput: of('videoinput'), audioinput: of('audioinput') };
}

/** Calls back when a device comes or goes. */
export function watchDevices(changed: () => void): void {
  navigator.mediaDevices?.addEventListener('devicechange', changed);
}

/**
 * Opens the camera and the microphone that are chosen, in one question to the person where both are.
 *
 * @throws {CaptureError}
 */
export async function openDevices(
  settings: PublishSettings,
  kinds: { readonly camera: boolean; readonly microphone: boolean },
): Promise<MediaStream> {
  const camera = kinds.camera && settings.camera !== NO_DEVICE;
  const microphone = kinds.microphone && settings.microphone !== NO_DEVICE;
  if (!camera && !microphone) return new MediaStream();
  const ask = (exactly: boolean) =>
    capture(() =>
      media().getUserMedia({
        video: camera && { ...deviceOf(settings.camera, exactly), ...pictureConstraints(settings) },
        audio: microphone && { ...deviceOf(settings.microphone, exactly), ...soundConstraints(settings) },
      }),
    );
  try {
    return await ask(true);
  } catch (error) {
    // One that was chosen at another visit and is gone gives way to another.
    if (!(error instanceof CaptureError) || error.code !== 'no-device') throw error;
    return ask(false);
  }
}

/**
 * Lets the person choose a screen, a window or a tab. Browsers ask for a click first.
 *
 * @throws {CaptureError}
 */
export async function openScreen(settings: PublishSettings): Promise<MediaStream> {
  const devices = media();
  if (devices.getDisplayMedia === undefined) throw new CaptureError('no-screen', 'this browser cannot share a screen');
  return capture(() => devices.getDisplayMedia({ video: pictureConstraints(settings), audio: false }));
}

/** What is asked of a camera or a screen. It gives what is nearest. */
export function pictureConstraints({ height, frameRate }: PublishSettings): MediaTrackConstraints {
  return {
    width: { ideal: widthOf(height) },
    height: { ideal: height },
    frameRate: { ideal: frameRate, max: frameRate },
  };
}

/** Speech is freed of echo and noise and evened out; to music that does harm. */
function soundConstraints({ music }: PublishSettings): MediaTrackConstraints {
  const speech = !music;
  return {
    echoCancellation: speech,
    noiseSuppression: speech,
    autoGainControl: speech,
    channelCount: { ideal: music ? 2 : 1 },
  };
}

/** As a mere wish it would lose against size and rate, where another device fits those better. */
function deviceOf(id: string, exactly: boolean): MediaTrackConstraints {
  return id === '' ? {} : { deviceId: exactly ? { exact: id } : { ideal: id } };
}

function media(): MediaDevices {
  // Where the context isn't secure, browsers leave it out.
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  if (devices !== undefined) return devices;
  throw new CaptureError('insecure', 'browsers give camera and microphone to pages over HTTPS or on localhost only');
}

async function capture(ask: () => Promise<MediaStream>): Promise<MediaStream> {
  try {
    return await ask();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new CaptureError(CODES[cause.name] ?? 'failed', `${cause.name}: ${cause.message}`, { cause });
  }
}
