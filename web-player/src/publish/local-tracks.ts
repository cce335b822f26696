import { CaptureError, openDevices, openScreen } from './capture.js';
import { contentHintOf, type PublishSettings } from './settings.js';
import type { TrackKind } from './whip-connection.js';

export interface LocalTrackEvents {
  /** There is another track, or none where none was wanted. */
  readonly changed: (kind: TrackKind, track: MediaStreamTrack | undefined) => void;
  /** The device was unplugged, or the person has ended the sharing of the screen. */
  readonly gone: (kind: TrackKind) => void;
}

/**
 * The picture and the sound of this device. Turned off, each stays off when it is exchanged for another. One thing is to
 * be opened at a time.
 */
export class LocalTracks {
  readonly #events: LocalTrackEvents;
  readonly #tracks = new Map<TrackKind, MediaStreamTrack>();
  readonly #off = new Set<TrackKind>();

  constructor(events: LocalTrackEvents) {
    this.#events = events;
  }

  /** @returns undefined where there is none, or it has ended */
  get(kind: TrackKind): MediaStreamTrack | undefined {
    const track = this.#tracks.get(kind);
    return track?.readyState === 'live' ? track : undefined;
  }

  /**
   * Opens camera and microphone, in one question where that is possible; one that can't be had leaves the other.
   *
   * @throws {CaptureError}
   */
  async openAll(settings: PublishSettings): Promise<void> {
    const camera = settings.source === 'camera';
    try {
      await this.#open(settings, ['video', 'audio'], () => openDevices(settings, { camera, microphone: true }));
    } catch (error) {
      const mayHaveOne = error instanceof CaptureError && error.code !== 'denied' && error.code !== 'insecure';
      if (!mayHaveOne || !camera) throw error;
      const faults: unknown[] = [];
      for (const open of [() => this.openSound(settings), () => this.openPicture(settings)]) {
        await open().catch((fault: unknown) => faults.push(fault));
      }
      if (faults.length > 0) throw faults.at(-1);
    }
  }

  /**
   * Opens the chosen camera or lets a screen be chosen. Who chooses none keeps what there was.
   *
   * @throws {CaptureError}
   */
  async openPicture(settings: PublishSettings): Promise<void> {
    if (settings.source === 'screen') {
      await this.#open(settings, ['video'], () => openScreen(settings));
      return;
    }
    // Phones open one camera at a time.
    this.#tracks.get('video')?.stop();
    await this.#open(settings, ['video'], () => openDevices(settings, { camera: true, microphone: false }));
  }

  /** @throws {CaptureError} */
  async openSound(settings: PublishSettings): Promise<void> {
    await this.#open(settings, ['audio'], () => openDevices(settings, { camera: false, microphone: true }));
  }

  /** Turns picture or sound off, or on again: what is sent meanwhile is black, or silence. */
  toggle(kind: TrackKind): void {
    if (!this.#off.delete(kind)) this.#off.add(kind);
    const track = this.#tracks.get(kind);
    if (track !== undefined) track.enabled = !this.#off.has(kind);
  }

  /** Tells the encoder what the tracks hold. */
  hint(settings: PublishSettings): void {
    const { video, audio } = { video: this.#tracks.get('video'), audio: this.#tracks.get('audio') };
    if (video !== undefined) video.contentHint = contentHintOf(settings);
    if (audio !== undefined) audio.contentHint = settings.music ? 'music' : 'speech';
  }

  async #open(settings: PublishSettings, kinds: readonly TrackKind[], ask: () => Promise<MediaStream>): Promise<void> {
    const stream = await ask();
    for (const kind of kinds) {
      const [track] = kind === 'video' ? stream.getVideoTracks() : stream.getAudioTracks();
      this.#take(kind, track, settings);
    }
  }

  #take(kind: TrackKind, track: MediaStreamTrack | undefined, settings: PublishSettings): void {
    this.#tracks.get(kind)?.stop();
    if (track === undefined) this.#tracks.delete(kind);
    else {
      this.#tracks.set(kind, track);
      track.enabled = !this.#off.has(kind);
      // Comes where something else than `stop` ends it.
      track.addEventListener('ended', () => {
        if (this.#tracks.get(kind) !== track) return;
        this.#tracks.delete(kind);
        this.#events.gone(kind);
      });
    }
    this.hint(settings);
    this.#events.changed(kind, track);
  }
}
