import type { Message } from '../messages.js';
import type { SdpEndpoint } from '../webrtc/sdp-exchange.js';
import { listDevices, NO_DEVICE, pictureConstraints, watchDevices } from './capture.js';
import { pictureEncoding, soundEncoding } from './encoding.js';
import { LevelMeter } from './level-meter.js';
import { LocalTracks } from './local-tracks.js';
import { type PublishState, showFault, showNotice, showState, showTracks } from './publish-display.js';
import { faultMessage } from './publish-messages.js';
import type { PublishView } from './publish-view.js';
import { type PublishSettings, rememberedSettings, rememberSettings } from './settings.js';
import { WhipClient, type WhipState } from './whip-client.js';
import type { SentMedia, SentTrack, TrackKind } from './whip-connection.js';

export interface StudioOptions {
  readonly view: PublishView;
  /** Where to publish, with what is in the page's fields now. */
  readonly endpoint: () => SdpEndpoint;
}

const CHOOSE_SCREEN: Message = { headline: 'What is to be shown?', detail: 'A screen, a window or a tab.' };
const SOUND_ONLY: Message = { headline: 'No picture: sound only.' };
const NOTHING_TO_SEND: Message = {
  headline: 'There is neither picture nor sound to send.',
  detail: 'Choose a camera, a screen or a microphone.',
};
const GONE: Readonly<Record<TrackKind, Message>> = {
  video: { headline: 'The picture has ended.', detail: 'The camera is gone, or the sharing was stopped.' },
  audio: { headline: 'The microphone is gone.', detail: 'Choose another one.' },
};

/** Ties together what is captured, what is chosen, and what is published. */
export class Studio {
  readonly #view: PublishView;
  readonly #endpoint: () => SdpEndpoint;
  readonly #tracks: LocalTracks;
  readonly meter = new LevelMeter();
  #settings: PublishSettings = rememberedSettings();
  #client: WhipClient | undefined;
  #turn: Promise<void> = Promise.resolve();
  #liveSince: number | undefined;
  #lastFault: Message | undefined;

  constructor({ view, endpoint }: StudioOptions) {
    this.#view = view;
    this.#endpoint = endpoint;
    this.#tracks = new LocalTracks({
      changed: (kind, track) => this.#trackChanged(kind, track),
      gone: (kind) => this.#trackGone(kind),
    });
    view.settings.show(this.#settings);
    showState(view, 'idle');
    this.#fault(undefined);
    showTracks(view, undefined, undefined);
    watchDevices(() => void this.#offerDevices());
  }

  get state(): PublishState {
    const kind = this.#client?.state.kind ?? 'ended';
    return kind === 'ended' ? 'idle' : kind;
  }

  /** Since the person went live, connections that broke in between included. Undefined while not live. */
  get liveSeconds(): number | undefined {
    return this.#liveSince === undefined ? undefined : (performance.now() - this.#liveSince) / 1000;
  }

  /** What went wrong with publishing, as it is shown. */
  get fault(): Message | undefined {
    return this.#lastFault;
  }

  async statistics(): Promise<RTCStatsReport | undefined> {
    return this.#client?.statistics();
  }

  /** Opens what was chosen, as far as it can be had without a click. */
  open(): Promise<void> {
    return this.#inTurn(() => this.#attempt(() => this.#tracks.openAll(this.#settings)));
  }

  /** What the button in place of the picture does. */
  retry(): Promise<void> {
    if (this.#settings.source === 'camera') return this.open();
    return this.#inTurn(() => this.#attempt(() => this.#tracks.openPicture(this.#settings)));
  }

  toggle(kind: TrackKind): void {
    this.#tracks.toggle(kind);
    this.#showTracks();
  }

  /** Goes live, or stops. */
  go(): void {
    if (this.#client !== undefined) {
      void this.#client.stop();
      return;
    }
    const media = this.#media();
    if (media.video === undefined && media.audio === undefined) {
      this.#fault(NOTHING_TO_SEND);
      return;
    }
    this.#fault(undefined);
    this.#client = new WhipClient({
      endpoint: this.#endpoint(),
      media,
      changed: (state) => this.#clientChanged(state),
    });
    showState(this.#view, this.state);
  }

  /** Ends what is published; for when the page goes. */
  leave(): void {
    void this.#client?.stop();
  }

  /** Does what a choice in the form asks for: at once, while live too. */
  chosen(): Promise<void> {
    return this.#inTurn(() => this.#follow(this.#view.settings.read()));
  }

  async #follow(now: PublishSettings): Promise<void> {
    const before = this.#settings;
    this.#settings = now;
    rememberSettings(now);
    const differs = (...names: readonly (keyof PublishSettings)[]) => names.some((name) => before[name] !== now[name]);
    this.#tracks.hint(now);
    if (differs('source', 'camera')) await this.#attempt(() => this.#tracks.openPicture(now), before);
    else if (differs('height', 'frameRate')) {
      await this.#attempt(async () => this.#tracks.get('video')?.applyConstraints(pictureConstraints(now)));
    }
    if (differs('microphone', 'music')) await this.#attempt(() => this.#tracks.openSound(now));
    if (differs('height', 'frameRate', 'bitrate')) await this.#client?.encodePicture(pictureEncoding(now));
  }

  /** Opening a device takes a while, in which the next may be chosen. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work);
    return this.#turn;
  }

  /** @param before where given, a screen that was not chosen after all brings this back */
  async #attempt(open: () => Promise<unknown>, before?: PublishSettings): Promise<void> {
    try {
      await open();
      this.#noticePicture();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const stillThere = this.#tracks.get('video') !== undefined;
      if (before !== undefined && this.#settings.source === 'screen' && stillThere) {
        this.#settings = { ...this.#settings, source: before.source };
        this.#view.settings.show({ ...this.#view.settings.read(), source: before.source });
        rememberSettings(this.#settings);
      }
      const message = faultMessage(error, location.hostname);
      if (stillThere) this.#fault(message);
      else showNotice(this.#view, message, 'Try again');
    }
    // With permission they have names.
    await this.#offerDevices();
  }

  /** Says in place of the picture why there is none. */
  #noticePicture(): void {
    const { source, camera } = this.#settings;
    if (this.#tracks.get('video') !== undefined) showNotice(this.#view, undefined);
    else if (source === 'screen') showNotice(this.#view, CHOOSE_SCREEN, 'Choose …');
    else if (camera === NO_DEVICE) showNotice(this.#view, SOUND_ONLY);
  }

  #trackChanged(kind: TrackKind, track: MediaStreamTrack | undefined): void {
    if (kind === 'audio') this.meter.listen(track);
    else this.#view.video.srcObject = track === undefined ? null : new MediaStream([track]);
    this.#showTracks();
    this.#showDevice(kind, track);
    const { music } = this.#settings;
    this.#client?.replace(kind, this.#sent(kind), music).catch((error: unknown) => {
      this.#fault({ headline: 'The change could not be sent.', detail: String(error) });
    });
  }

  #trackGone(kind: TrackKind): void {
    this.#showTracks();
    if (kind === 'video') {
      this.#view.video.srcObject = null;
      showNotice(this.#view, GONE.video, this.#settings.source === 'screen' ? 'Choose …' : 'Try again');
    } else {
      this.meter.listen(undefined);
      this.#fault(GONE.audio);
    }
  }

  #clientChanged(state: WhipState): void {
    if (state.kind === 'live') {
      this.#liveSince ??= performance.now();
      this.#fault(undefined);
    } else if (state.kind === 'retrying') {
      const { headline } = faultMessage(state.because, location.hostname);
      this.#fault({ headline, detail: `Trying again … (attempt ${state.attempt})` });
    } else if (state.kind === 'ended') {
      this.#client = undefined;
      this.#liveSince = undefined;
      this.#fault(state.because && faultMessage(state.because, location.hostname));
    }
    showState(this.#view, this.state);
  }

  #media(): SentMedia {
    return { video: this.#sent('video'), audio: this.#sent('audio'), music: this.#settings.music };
  }

  #sent(kind: TrackKind): SentTrack | undefined {
    const track = this.#tracks.get(kind);
    if (track === undefined) return undefined;
    const encoding = kind === 'video' ? pictureEncoding(this.#settings) : soundEncoding(this.#settings.music);
    return { track, encoding };
  }

  #showTracks(): void {
    showTracks(this.#view, this.#tracks.get('video'), this.#tracks.get('audio'));
  }

  /** The form names the device that the browser has really taken. */
  #showDevice(kind: TrackKind, track: MediaStreamTrack | undefined): void {
    const { deviceId } = track?.getSettings() ?? {};
    if (deviceId === undefined || (kind === 'video' && this.#settings.source === 'screen')) return;
    const name = kind === 'video' ? 'camera' : 'microphone';
    const chosen = this.#view.settings.read();
    // What was chosen while it opened stays; its turn comes.
    if (chosen[name] === this.#settings[name]) this.#view.settings.show({ ...chosen, [name]: deviceId });
    this.#settings = { ...this.#settings, [name]: deviceId };
    rememberSettings(this.#settings);
  }

  async #offerDevices(): Promise<void> {
    // Where the context isn't secure there are none, which has been told.
    if (navigator.mediaDevices !== undefined) this.#view.settings.offer(await listDevices());
  }

  #fault(message: Message | undefined): void {
    this.#lastFault = message;
    showFault(this.#view, message);
  }
}
