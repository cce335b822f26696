import { browserAbilities } from '../browser.js';
import { connectControls } from '../controls/connect.js';
import type { Settings } from '../controls/settings.js';
import type { EngineFailure } from '../engines/engine.js';
import { FailedProtocols, type FailureStorage } from '../failed-protocols.js';
import { LivePlayer } from '../live-player.js';
import { type Message, messageFor } from '../messages.js';
import type { PlayerState } from '../playback-state.js';
import { isProtocol, type PlayerProtocol } from '../protocol.js';
import { ServerClock } from '../server-clock.js';
import { StatusClient } from '../status-client.js';
import { type StreamSource, streamSourceOf, withoutQuery, withToken } from '../stream-source.js';
import css from '../styles/element.css?inline';
import { type Texts, textsFor } from '../texts/texts.js';
import { showEdge, showState } from './display.js';
import type { PlayerStatistics, SluicePlayer, SluicePlayerEvents } from './public.js';
import { showStatistics, statisticsOf } from './statistics.js';
import { createPlayerView, type PlayerView } from './view.js';

const FIGURES_MS = 500;
/** A constructed sheet, which a policy without inline styles lets pass. One for all players of a page. */
const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

/** What is made when the element comes into a page, and let go of when it leaves it. */
interface Mounted {
  readonly view: PlayerView;
  readonly texts: Texts;
  readonly settings: Settings;
  readonly end: AbortController;
}

/** `<sluice-player>`: plays one live stream, and keeps it playing. */
export class SluicePlayerElement extends HTMLElement implements SluicePlayer {
  static readonly observedAttributes = ['src', 'protocol', 'poster', 'controls', 'lang', 'hotkeys'];
  readonly #root = this.attachShadow({ mode: 'open' });
  #mounted: Mounted | undefined;
  #player: LivePlayer | undefined;
  #source: StreamSource | undefined;
  /** What `src` had behind its `?`: it may be a credential, and is kept from the page's elements. */
  #query = '';
  #token: string | undefined;
  #isStripping = false;
  #told = '';
  #toldProtocol: PlayerProtocol | undefined;

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [sheet];
  }

  get src(): string {
    return this.getAttribute('src') ?? '';
  }

  set src(src: string) {
    this.#take(src);
    if (this.isConnected) this.#begin();
  }

  get token(): string | undefined {
    return undefined;
  }

  set token(token: string | undefined) {
    this.#token = token === undefined || token === '' ? undefined : token;
    this.#player?.credentialChanged();
  }

  get protocol(): PlayerProtocol | 'auto' {
    const asked = this.getAttribute('protocol');
    return isProtocol(asked) ? asked : 'auto';
  }

  set protocol(protocol: PlayerProtocol | 'auto') {
    this.setAttribute('protocol', protocol);
  }

  get autoplay(): boolean {
    return this.hasAttribute('autoplay');
  }

  set autoplay(on: boolean) {
    this.toggleAttribute('autoplay', on);
  }

  get controls(): boolean {
    return this.hasAttribute('controls');
  }

  set controls(on: boolean) {
    this.toggleAttribute('controls', on);
  }

  get poster(): string {
    return this.getAttribute('poster') ?? '';
  }

  set poster(poster: string) {
    this.setAttribute('poster', poster);
  }

  get muted(): boolean {
    return this.#mounted?.view.video.muted ?? this.hasAttribute('muted');
  }

  set muted(on: boolean) {
    if (this.#mounted === undefined) this.toggleAttribute('muted', on);
    else this.#mounted.view.video.muted = on;
  }

  get volume(): number {
    return this.#mounted?.view.video.volume ?? 1;
  }

  set volume(volume: number) {
    if (this.#mounted !== undefined) this.#mounted.view.video.volume = volume;
  }

  get paused(): boolean {
    return this.#mounted?.view.video.paused ?? true;
  }

  get state(): PlayerState {
    return this.#player?.state ?? 'offline';
  }

  get message(): Message | undefined {
    const texts = this.#mounted?.texts ?? this.#texts();
    if (this.#player === undefined) return { headline: texts.noSource };
    return messageFor(this.#player.state, this.#player.context, texts);
  }

  get activeProtocol(): PlayerProtocol | undefined {
    return this.#player?.protocol;
  }

  get statistics(): PlayerStatistics | undefined {
    if (this.#player === undefined || this.#mounted === undefined) return undefined;
    return statisticsOf(this.#player, this.#mounted.view.video);
  }

  play(): void {
    this.#player?.play();
  }

  pause(): void {
    this.#player?.pause();
  }

  toLiveEdge(): void {
    this.#player?.time.toLiveEdge();
  }

  seekBy(seconds: number): void {
    this.#player?.time.seekBy(seconds);
  }

  connectedCallback(): void {
    // Set before the element was known.
    for (const name of ['src', 'token', 'muted', 'protocol'] as const) this.#upgrade(name);
    this.#mount();
    this.#begin();
  }

  disconnectedCallback(): void {
    this.#unmount();
  }

  attributeChangedCallback(name: string, before: string | null, value: string | null): void {
    if (name === 'src') {
      if (this.#isStripping) return;
      this.#take(value ?? '');
      if (this.isConnected) this.#begin();
      return;
    }
    if (before === value || this.#mounted === undefined) return;
    if (name === 'protocol') {
      const asked = isProtocol(value) ? value : undefined;
      if (this.#player?.asked !== asked) this.#player?.switchTo(asked);
    } else if (name === 'poster' || name === 'controls') this.#reflect(this.#mounted.view);
    else {
      this.#unmount();
      this.#mount();
      this.#begin();
    }
  }

  /** Remembers where the stream is; what may be a credential does not stay in the attribute. */
  #take(src: string): void {
    this.#source = streamSourceOf(src, document.baseURI);
    this.#query = this.#source?.query ?? '';
    this.#isStripping = true;
    this.setAttribute('src', withoutQuery(src));
    this.#isStripping = false;
  }

  #mount(): void {
    const end = new AbortController();
    const texts = this.#texts();
    const view = createPlayerView(texts);
    this.#mounted = {
      ...{ view, texts, end },
      settings: connectControls({
        view,
        player: () => this.#player,
        texts,
        keysOf: this.getAttribute('hotkeys') === 'page' ? document : this,
        protocolChosen: (protocol) => {
          this.#tell('protocolchoice', { protocol: isProtocol(protocol) ? protocol : 'auto' });
        },
        signal: end.signal,
      }),
    };
    view.video.muted = this.hasAttribute('muted');
    this.#reflect(view);
    this.#root.replaceChildren(view.stage, view.help);
    const timer = setInterval(() => this.#showFigures(), FIGURES_MS);
    end.signal.addEventListener('abort', () => clearInterval(timer));
  }

  #unmount(): void {
    this.#player?.close();
    this.#player = undefined;
    this.#mounted?.end.abort();
    this.#mounted = undefined;
    this.#root.replaceChildren();
  }

  #reflect({ video, bar }: PlayerView): void {
    bar.hidden = !this.controls;
    if (this.poster === '') video.removeAttribute('poster');
    else video.poster = this.poster;
  }

  /** Begins to play what `src` names, in place of what was played. */
  #begin(): void {
    this.#player?.close();
    this.#player = undefined;
    this.#told = '';
    this.#toldProtocol = undefined;
    const source = this.#source;
    const mounted = this.#mounted;
    if (mounted === undefined) return;
    const { view, texts, settings } = mounted;
    view.stage.setAttribute('aria-label', texts.stage(source?.path ?? ''));
    if (source === undefined) {
      this.#changed();
      return;
    }
    const { server, path } = source;
    const clock = new ServerClock();
    const { protocol } = this;
    this.#player = new LivePlayer({
      ...{ path, server, clock, video: view.video, lastFrame: view.lastFrame },
      query: () => withToken(this.#query, this.#token),
      browser: browserAbilities(view.video),
      client: new StatusClient(clock, server),
      failed: new FailedProtocols(server, sessionStorageOf(window)),
      protocol: protocol === 'auto' ? undefined : protocol,
      autoplay: this.autoplay,
      listener: {
        changed: () => this.#changed(),
        choicesChanged: () => settings.refresh(),
        failed: (failure) => this.#failed(failure),
        silenced: () => {
          view.soundPrompt.hidden = false;
        },
      },
    });
    this.#player.start();
    settings.refresh();
  }

  #changed(): void {
    const mounted = this.#mounted;
    if (mounted === undefined) return;
    const { state, message, activeProtocol } = this;
    showState(mounted.view, state, message);
    const told = `${state} ${message?.headline} ${message?.detail}`;
    if (told !== this.#told) {
      this.#told = told;
      this.dataset.state = state;
      this.#tell('statechange', { state, message });
    }
    if (activeProtocol === undefined || activeProtocol === this.#toldProtocol) return;
    this.#toldProtocol = activeProtocol;
    mounted.settings.refresh();
    this.#tell('protocolchange', { protocol: activeProtocol });
  }

  #failed({ reason, protocol, httpStatus }: EngineFailure & { readonly protocol: PlayerProtocol | undefined }): void {
    this.#tell('failure', { reason, protocol, httpStatus });
  }

  #showFigures(): void {
    const player = this.#player;
    if (player === undefined || this.#mounted === undefined) return;
    const { view, texts } = this.#mounted;
    const { state, engine, time } = player;
    showEdge(view, { state, engine, shifted: time.shifted }, texts);
    if (!view.statistics.hidden) showStatistics(view.statistics, statisticsOf(player, view.video), texts);
  }

  #texts(): Texts {
    const own = this.closest('[lang]')?.getAttribute('lang');
    return textsFor(own ? [own] : navigator.languages);
  }

  #tell<K extends keyof SluicePlayerEvents>(name: K, detail: SluicePlayerEvents[K]['detail']): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  /** A property of the element's own would hide the class's. */
  #upgrade(name: 'src' | 'token' | 'muted' | 'protocol'): void {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    delete this[name];
    Object.assign(this, { [name]: value });
  }
}

/** It can be forbidden, in a frame say. */
function sessionStorageOf(page: Window): FailureStorage | undefined {
  try {
    return page.sessionStorage;
  } catch {
    return undefined;
  }
}

if (customElements.get('sluice-player') === undefined) customElements.define('sluice-player', SluicePlayerElement);
