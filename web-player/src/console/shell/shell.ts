import { element } from '../../dom.js';
import { ApiClient } from '../api-client/api-client.js';
import { describeFailure } from '../api-client/describe-failure.js';
import { button } from '../components/button.js';
import { emptyState } from '../components/empty-state.js';
import { Toasts } from '../components/toasts.js';
import { Feed } from '../feed/feed.js';
import { I18n } from '../i18n/i18n.js';
import type { Mount, PageContext, Unmount } from '../page.js';
import { matchPath, type Params } from '../router/match-path.js';
import { Router } from '../router/router.js';
import { type ConsoleRoute, ROUTES } from '../router/routes.js';
import type { Me, Session } from '../session/session.js';
import type { Preferences } from '../theme/preferences.js';
import { Theme } from '../theme/theme.js';
import { type Frame, frame } from './frame.js';
import { loginView } from './login.js';
import { settingsMenu } from './settings-menu.js';

const texts = {
  en: {
    nowhere: 'There is no such page',
    nowhereText: 'The address may be mistyped, or your role does not show this page.',
    home: 'To the streams',
    unreachable: 'The server does not answer',
    retry: 'Try again',
    notLoaded: 'The page can’t be loaded. Reload the console: the server may have a newer version.',
  },
  de: {
    nowhere: 'Diese Seite gibt es nicht',
    nowhereText: 'Die Adresse ist vielleicht vertippt, oder deine Rolle zeigt diese Seite nicht.',
    home: 'Zu den Streams',
    unreachable: 'Der Server antwortet nicht',
    retry: 'Noch einmal',
    notLoaded: 'Die Seite lässt sich nicht laden. Bitte die Konsole neu laden: der Server hat vielleicht eine neuere.',
  },
} as const;

interface Shown {
  readonly stop: AbortController;
  unmount: Unmount | undefined;
}

/** The console: who is logged in, the frame around the pages, and the page that is open. */
export class Shell {
  readonly #root: HTMLElement;
  readonly #session: Session;
  readonly #preferences: Preferences;
  readonly #theme: Theme;
  readonly #api: ApiClient;
  readonly #feed: Feed;
  readonly #router: Router;
  readonly #toasts = new Toasts();
  #i18n: I18n;
  #frame: Frame | undefined;
  #shown: Shown | undefined;

  constructor(root: HTMLElement, session: Session, preferences: Preferences) {
    this.#root = root;
    this.#session = session;
    this.#preferences = preferences;
    this.#theme = new Theme(document.documentElement, preferences.theme);
    this.#i18n = new I18n(preferences.language);
    this.#api = new ApiClient(session);
    this.#feed = new Feed(this.#api);
    this.#router = new Router('/console', (pathname) => this.#showPage(pathname));
    session.onChange(() => this.#show());
    document.addEventListener('keydown', (event) => this.#key(event));
    this.#feed.follow(() => this.#frame?.setLost(this.#feed.status === 'lost'), new AbortController().signal);
  }

  async start(): Promise<void> {
    try {
      await this.#session.resume();
      if (this.#session.state.kind === 'out') this.#show();
    } catch (error) {
      this.#showUnreachable(error);
    }
  }

  /** Everything anew: somebody has come or gone, or chosen another language. */
  #show(): void {
    this.#leavePage();
    document.documentElement.lang = this.#i18n.language;
    const { state } = this.#session;
    if (state.kind === 'out') {
      this.#feed.close();
      this.#frame = undefined;
      this.#root.replaceChildren(loginView(this.#i18n, this.#session, state.expired, this.#settings()));
      return;
    }
    this.#frame = frame({
      i18n: this.#i18n,
      me: state.me,
      routes: ROUTES.filter(({ needs }) => state.me.scopes.includes(needs)),
      hrefOf: (path) => this.#router.hrefOf(path),
      settings: this.#settings(),
      toasts: this.#toasts.root,
      onLogout: () => this.#session.logout(),
    });
    this.#root.replaceChildren(this.#frame.root);
    this.#feed.open();
    this.#router.refresh();
  }

  #settings(): HTMLElement {
    return settingsMenu({
      i18n: this.#i18n,
      theme: this.#theme.name,
      onTheme: (name) => {
        this.#theme.choose(name);
        this.#preferences.theme = name;
      },
      onLanguage: (language) => {
        this.#preferences.language = language;
        this.#i18n = new I18n(language);
        this.#show();
      },
    });
  }

  #showPage(pathname: string): void {
    const { state } = this.#session;
    if (this.#frame === undefined || state.kind === 'out') return;
    this.#leavePage();
    this.#frame.content.replaceChildren();
    for (const route of ROUTES) {
      const params = matchPath(route.path, pathname);
      if (params === undefined || !state.me.scopes.includes(route.needs)) continue;
      void this.#open(this.#frame, route, params, state.me);
      return;
    }
    const words = this.#i18n.words(texts);
    this.#frame.setTitle(words('nowhere'));
    this.#frame.setCurrent(undefined);
    const home = element('a', { class: 'button', href: this.#router.hrefOf('/') }, words('home'));
    this.#frame.content.append(emptyState(words('nowhere'), words('nowhereText'), home));
  }

  async #open(around: Frame, route: ConsoleRoute, params: Params, me: Me): Promise<void> {
    const shown: Shown = { stop: new AbortController(), unmount: undefined };
    this.#shown = shown;
    const { signal } = shown.stop;
    const root = element('div', { class: 'page' });
    around.content.append(root);
    around.setCurrent(route.below ?? route.path);
    if (route.menu !== undefined) around.setTitle(this.#i18n.words(route.menu.label)('label'));
    let mount: Mount;
    try {
      ({ mount } = await route.load());
    } catch {
      if (!signal.aborted) this.#toasts.show(this.#i18n, this.#i18n.words(texts)('notLoaded'), 'bad');
      return;
    }
    if (signal.aborted) return;
    const context: PageContext = {
      api: this.#api,
      feed: this.#feed,
      i18n: this.#i18n,
      me,
      may: (scope) => me.scopes.includes(scope),
      params,
      query: new URLSearchParams(location.search),
      signal,
      navigate: (path) => this.#router.navigate(path),
      setQuery: (query) => this.#router.setQuery(query),
      setTitle: (title) => around.setTitle(title),
      toast: (text, tone) => this.#toasts.show(this.#i18n, text, tone),
      fail: (error) => {
        if (!signal.aborted) this.#toasts.show(this.#i18n, describeFailure(error, this.#i18n), 'bad');
      },
    };
    shown.unmount = mount(root, context);
    // Who listens rather than looks is told where they are.
    if (document.activeElement === document.body) document.getElementById('main')?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  /** `/` goes to the page's search, as people are used to. */
  #key(event: KeyboardEvent): void {
    const isTyping =
      event.target instanceof Element && event.target.closest('input, select, textarea, dialog') !== null;
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const search = this.#root.querySelector<HTMLInputElement>('main input[type="search"]');
    if (search === null) return;
    event.preventDefault();
    search.focus();
  }

  #leavePage(): void {
    const shown = this.#shown;
    this.#shown = undefined;
    shown?.stop.abort();
    shown?.unmount?.();
  }

  #showUnreachable(error: unknown): void {
    const words = this.#i18n.words(texts);
    const retry = button({ label: words('retry'), kind: 'primary', onPress: () => this.start() });
    const text = describeFailure(error, this.#i18n);
    this.#root.replaceChildren(element('main', { class: 'login' }, emptyState(words('unreachable'), text, retry)));
  }
}
