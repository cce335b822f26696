/// <reference lib="dom" />
import type { AudioMode, ClientSettings, SoundMode } from '../protocol.js';
import { isSince } from '../skin.js';
import { showDialog } from './dialogs.js';
import { button, element, pause } from './dom.js';
import type { Look } from './look.js';
import { MeetingSound } from './sound.js';
import type { Word } from './words.js';

/** What the audio is a part of. */
export interface AudioContextOfMeeting {
  readonly settings: ClientSettings;
  readonly look: Look;
  readonly words: Readonly<Record<Word, string>>;
  readonly actions: HTMLElement;
  toast(text: string): void;
  /** It is in, or out. */
  changed(mode: AudioMode): void;
}

/** How somebody comes into the audio: by themselves or through the dialog, by listening only or by a microphone. */
export class MeetingAudio {
  sound: MeetingSound | undefined;
  mode: AudioMode = 'none';
  readonly #meeting: AudioContextOfMeeting;
  readonly #isForced: boolean;
  readonly #anonymous: HTMLAudioElement[] = [];
  #closeDialog = () => {};
  #isSilent: boolean;
  /** The browser gave no microphone. */
  #isRefused = false;

  constructor(meeting: AudioContextOfMeeting) {
    this.#meeting = meeting;
    const { userdata, role, sound } = meeting.settings;
    // Listening only is forced upon those who only attend.
    this.#isForced = userdata.bbb_force_listen_only === 'true' && role === 'VIEWER';
    this.#isSilent = sound === 'silent';
    this.#showJoinButton();
  }

  /** What the client does by itself when it has mounted. */
  async begin(): Promise<void> {
    const { audioDialog, userdata } = this.#meeting.settings;
    if (userdata.bbb_auto_join_audio === 'false') return;
    if (this.#isForced && audioDialog === 'auto') await this.#join('listen-only');
    else this.#ask();
  }

  set state(mode: SoundMode) {
    if (mode === 'lost') this.leave();
    this.#isSilent = mode === 'silent';
    if (this.sound !== undefined) this.sound.isSilent = this.#isSilent;
  }

  leave(): void {
    if (this.mode !== 'none') this.#meeting.toast(this.#meeting.words.leftAudio);
    this.close();
    this.#showJoinButton();
    this.#meeting.changed('none');
  }

  /** Ends the sound and says nothing of it. */
  close(): void {
    this.#closeDialog();
    this.sound?.close();
    this.sound = undefined;
    this.mode = 'none';
    for (const player of this.#anonymous.splice(0)) player.remove();
    remoteMedia().srcObject = null;
  }

  #showJoinButton(): void {
    const { actions, look, words } = this.#meeting;
    actions.replaceChildren(button(words.joinAudio, look.joinAudio, () => this.#ask()));
  }

  #show(content: readonly (Node | string)[]): void {
    const { look, words } = this.#meeting;
    this.#closeDialog();
    const close = button('✕', look.closeAudioDialog, () => this.#closeDialog());
    const header = element('header', look.audioDialogHeader, words.joinAudio);
    this.#closeDialog = showDialog(look.audioDialog, [header, close, ...content], true);
  }

  #ask(): void {
    const { look, words, settings } = this.#meeting;
    const listen = button(words.listenOnly, look.listenOnly, () => this.#start('listen-only'));
    const speak = button(words.microphone, look.microphone, () => this.#speak());
    // 4.0 has the button only for those on whom it is forced.
    const isOffered =
      (settings.audioDialog !== 'denied' || this.#isRefused) &&
      settings.userdata.bbb_listen_only_mode !== 'false' &&
      (settings.skin !== 'livekit' || this.#isForced);
    this.#show([...(this.#isForced && isOffered ? [] : [speak]), ...(isOffered ? [listen] : [])]);
  }

  #speak(): void {
    const { look, words, settings } = this.#meeting;
    const refused = () => {
      // Before 2.6 there was no such help; one goes back to the dialog.
      this.#isRefused = true;
      if (!isSince(settings.skin, '2.7')) {
        this.#ask();
        return;
      }
      const listen = button(words.listenOnly, look.helpListenOnly, () => this.#start('listen-only'));
      this.#show([element('p', {}, words.help), listen]);
    };
    navigator.mediaDevices.getUserMedia({ audio: true }).then((stream) => {
      for (const track of stream.getTracks()) track.stop();
      if (settings.userdata.bbb_skip_check_audio === 'true') this.#start('voice');
      else this.#testEcho();
    }, refused);
  }

  #testEcho(): void {
    const { look, words } = this.#meeting;
    const yes = button(words.echoYes, look.echoYes, () => this.#start('voice'));
    const no = button(words.echoNo, { 'aria-label': words.echoNo }, () => this.#ask());
    this.#show([element('p', {}, words.echoQuestion), yes, no]);
  }

  /** Joins, and shows on the page what is wrong if it can't. */
  #start(mode: 'listen-only' | 'voice'): void {
    this.#join(mode).catch((error: Error) => this.#show([element('p', { 'data-test': 'audioError' }, error.message)]));
  }

  async #join(mode: 'listen-only' | 'voice'): Promise<void> {
    const { settings, words } = this.#meeting;
    this.#show([element('p', { 'data-test': 'establishingAudioLabel' }, words.connecting)]);
    await pause(settings.mountDelayMs);
    const sound = await MeetingSound.start();
    this.sound = sound;
    sound.isSilent = this.#isSilent;
    const player = this.#player();
    player.srcObject = sound.stream;
    try {
      await player.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') throw error;
      await this.#askToPlay(player);
    }
    await sound.resume();
    this.#closeDialog();
    this.#joined(mode);
  }

  #joined(mode: 'listen-only' | 'voice'): void {
    const { actions, look, words } = this.#meeting;
    this.mode = mode;
    actions.replaceChildren(button(words.leaveAudio, look.leaveAudio(mode === 'listen-only'), () => this.leave()));
    this.#meeting.toast(words.joinedAudio);
    this.#meeting.changed(mode);
  }

  /** Until 3.0 with its own bridge there is one element that is known by name; with LiveKit each track has its own. */
  #player(): HTMLAudioElement {
    const known = remoteMedia();
    if (this.#meeting.settings.skin !== 'livekit') return known;
    const player = element('audio', { autoplay: '' });
    document.body.append(player);
    this.#anonymous.push(player);
    return player;
  }

  /** The browser plays nothing before somebody has clicked. */
  #askToPlay(player: HTMLAudioElement): Promise<void> {
    const { look, words } = this.#meeting;
    return new Promise((resolve, reject) => {
      const play = button(words.playAudio, look.playAudio, () => player.play().then(resolve, reject));
      this.#show([element('p', {}, words.playQuestion), play]);
    });
  }
}

function remoteMedia(): HTMLAudioElement {
  const known = document.querySelector<HTMLAudioElement>('audio#remote-media');
  if (known !== null) return known;
  const made = element('audio', { id: 'remote-media', autoplay: '' });
  document.body.append(made);
  return made;
}
