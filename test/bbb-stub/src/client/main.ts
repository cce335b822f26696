/// <reference lib="dom" />
import type { ClientSettings, ServerMessage } from '../protocol.js';
import { isSince, SKINS, type Skin } from '../skin.js';
import { MeetingAudio } from './audio.js';
import { coverClicks, showModal, Toasts } from './dialogs.js';
import { element, pause } from './dom.js';
import { ServerLink } from './link.js';
import { lookOf } from './look.js';
import { Parts } from './parts.js';
import { MeetingPicture } from './picture.js';
import { endScreen, errorScreen, loadingScreen, lobbyScreen, type ScreenContext } from './screens.js';
import { STYLE } from './style.js';
import { wordsOf } from './words.js';

/** What a test may look at beside the page itself. */
interface StubPage {
  readonly counter: number;
}

const UNAUTHORISED = 401;
const CRASH_DEPTH = 4000;

const app = document.querySelector<HTMLElement>('#app');
if (app === null) throw new Error('the page has no #app');
run(app).catch((error: Error) => {
  // Shown and thrown, so that it is seen by people and by what drives the page.
  app.append(element('pre', { 'data-test': 'stubError' }, `${error.stack ?? error.message}`));
  throw error;
});

async function run(app: HTMLElement): Promise<void> {
  document.head.append(element('style', {}, STYLE));
  const skin = SKINS.find((one) => one === document.body.dataset.skin) ?? '3.0';
  markGeneration(skin);
  const guess: ScreenContext = { app, skin, words: wordsOf('en'), look: lookOf(skin, wordsOf('en')) };
  loadingScreen(guess);
  const settings = await enter();
  if (settings === undefined) return errorScreen(guess, UNAUTHORISED);
  await pause(settings.mountDelayMs);
  const words = wordsOf(settings.locale);
  document.documentElement.lang = settings.locale;
  const screens: ScreenContext = { app, skin, words, look: lookOf(skin, words) };
  let meeting: Meeting | undefined;
  let isOver = false;
  const over = (show: () => void) => {
    isOver = true;
    link.close();
    meeting?.close();
    for (const left of document.body.querySelectorAll(':scope > :not(#app, script)')) left.remove();
    show();
  };
  const begin = async () => {
    if (!isOver) meeting = await Meeting.open(screens, settings, link);
  };
  let setLobbyMessage = (_: string) => {};
  const onMessage = (message: ServerMessage) => {
    if (message.kind === 'out') over(() => endScreen(screens, message.reason, settings.logoutUrl));
    else if (message.kind === 'error') over(() => errorScreen(screens, message.code));
    else if (message.kind === 'denied') setLobbyMessage(words.guestDenied);
    else if (message.kind === 'hang') hang(message.ms);
    else if (message.kind === 'crash') crash();
    else if (message.kind !== 'admitted') meeting?.on(message);
    // Until 2.7 the lobby is a page of its own, which leads on to the client.
    else if (isSince(skin, '3.0')) void begin();
    else location.reload();
  };
  const url = `${settings.link}?sessionToken=${new URLSearchParams(location.search).get('sessionToken') ?? ''}`;
  const link = new ServerLink(url, onMessage, (isConnected) => {
    meeting?.connected(isConnected);
    // The session may be over when the connection is back, or the server doesn't know it any more.
    if (!isConnected) void enter().then((left) => left ?? over(() => errorScreen(screens, UNAUTHORISED)));
  });
  if (settings.guestStatus === 'ALLOW') return begin();
  setLobbyMessage = lobbyScreen(screens);
  if (settings.guestStatus === 'DENY') setLobbyMessage(words.guestDenied);
}

/** The meeting itself, once one is in. */
class Meeting {
  readonly #screens: ScreenContext;
  readonly #toasts: Toasts;
  readonly #picture = new MeetingPicture();
  readonly #parts: Parts;
  readonly #audio: MeetingAudio;
  #banner: HTMLElement | undefined;
  readonly #link: ServerLink;

  private constructor(screens: ScreenContext, settings: ClientSettings, link: ServerLink) {
    const { look, words, app } = screens;
    this.#screens = screens;
    this.#link = link;
    app.replaceChildren(this.#picture.canvas);
    this.#picture.mode = settings.picture;
    this.#picture.beep = () => this.#audio.sound?.takeBeep();
    this.#picture.start();
    this.#toasts = new Toasts(settings.userdata.bbb_hide_notifications === 'true');
    this.#parts = new Parts(app, { look, words, settings }, (text) => link.send({ kind: 'chat', text }));
    this.#audio = new MeetingAudio({
      settings,
      look,
      words,
      actions: this.#parts.actions,
      toast: (text) => this.#toasts.show(text),
      changed: (mode) => link.send({ kind: 'audio', mode }),
    });
    const picture = this.#picture;
    const page: StubPage = {
      get counter() {
        return picture.counter;
      },
    };
    Object.assign(globalThis, { bbbStub: page });
  }

  static async open(screens: ScreenContext, settings: ClientSettings, link: ServerLink): Promise<Meeting> {
    const { userdata, skin, mountDelayMs, overlayMs } = settings;
    document.title = `BigBlueButton - ${settings.meetingName}`;
    if (userdata.bbb_custom_style !== undefined) document.head.append(element('style', {}, userdata.bbb_custom_style));
    if (userdata.bbb_custom_style_url !== undefined) {
      document.head.append(element('link', { rel: 'stylesheet', href: userdata.bbb_custom_style_url }));
    }
    const meeting = new Meeting(screens, settings, link);
    if (overlayMs > 0) coverClicks(overlayMs);
    const hasDetails = isSince(skin, '3.0') && userdata.bbb_show_session_details_on_join !== 'false';
    if (hasDetails) showModal('session-details', screens.look, screens.words);
    pause(mountDelayMs).then(
      () => meeting.#audio.begin(),
      (error: unknown) => reportError(error),
    );
    return meeting;
  }

  on(message: ServerMessage): void {
    const { look, words } = this.#screens;
    if (message.kind === 'chat') this.#parts.message(message.from, message.text);
    else if (message.kind === 'toast') this.#toasts.show(message.text);
    else if (message.kind === 'modal') showModal(message.modal, look, words);
    else if (message.kind === 'overlay') coverClicks(message.ms);
    else if (message.kind === 'picture') this.#picture.mode = message.mode;
    else if (message.kind === 'sound') this.#audio.state = message.mode;
  }

  connected(isConnected: boolean): void {
    this.#banner?.remove();
    if (isConnected) {
      this.#link.send({ kind: 'audio', mode: this.#audio.mode });
      return;
    }
    const { look, words } = this.#screens;
    this.#banner = element('div', { ...look.banner }, words.connectionLost);
    this.#banner.classList.add('banner');
    document.body.append(this.#banner);
  }

  close(): void {
    this.#picture.stop();
    this.#audio.close();
  }
}

/** What tells the generations apart: 2.x is of Meteor, later ones have their settings in the window. */
function markGeneration(skin: Skin): void {
  const mark = isSince(skin, '3.0')
    ? { meetingClientSettings: { public: { app: { html5ClientBuild: skin === '3.0' ? '3.0.0' : '4.0.0' } } } }
    : { Meteor: { release: 'METEOR@1.8.1', status: () => ({ connected: true }) } };
  Object.assign(globalThis, mark);
}

/** @returns undefined where there is no session */
async function enter(): Promise<ClientSettings | undefined> {
  const answer = await fetch(`/bigbluebutton/api/enter${location.search}`);
  if (answer.status === UNAUTHORISED) return undefined;
  const { response } = (await answer.json()) as { response: { settings: ClientSettings } };
  return response.settings;
}

function hang(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Nests more elements than the layout has stack for, which ends the tab's process. */
function crash(): void {
  const outermost = element('div');
  let innermost = outermost;
  for (let depth = 0; depth < CRASH_DEPTH; depth++) {
    const inner = element('div', { style: 'display: grid' });
    innermost.append(inner);
    innermost = inner;
  }
  document.body.append(outermost);
  outermost.getBoundingClientRect();
}
