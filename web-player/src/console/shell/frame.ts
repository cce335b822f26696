import { element } from '../../dom.js';
import { button } from '../components/button.js';
import { icon } from '../components/icon.js';
import type { I18n } from '../i18n/i18n.js';
import type { ConsoleRoute } from '../router/routes.js';
import type { Me } from '../session/session.js';

const texts = {
  en: {
    skip: 'Skip to the content',
    menu: 'Menu',
    pages: 'Pages',
    logout: 'Log out',
    lost: 'The connection to the server is lost. Trying again …',
    connecting: 'Connecting …',
  },
  de: {
    skip: 'Zum Inhalt springen',
    menu: 'Menü',
    pages: 'Seiten',
    logout: 'Abmelden',
    lost: 'Die Verbindung zum Server ist unterbrochen. Neuer Versuch läuft …',
    connecting: 'Verbindung wird aufgebaut …',
  },
} as const;

export interface FrameOptions {
  readonly i18n: I18n;
  readonly me: Me;
  /** Those that the login may see. */
  readonly routes: readonly ConsoleRoute[];
  readonly hrefOf: (path: string) => string;
  readonly settings: HTMLElement;
  readonly toasts: HTMLElement;
  readonly onLogout: () => Promise<void>;
}

/** What is around every page: the menu, the heading, and what is told whatever the page. */
export interface Frame {
  readonly root: HTMLElement;
  /** Where pages go. */
  readonly content: HTMLElement;
  setTitle(title: string): void;
  /** Marks an entry of the menu, and closes the menu on a phone. */
  setCurrent(path: string | undefined): void;
  setLost(isLost: boolean): void;
}

export function frame(options: FrameOptions): Frame {
  const { i18n, me, routes, hrefOf, settings, toasts, onLogout } = options;
  const words = i18n.words(texts);
  const links = new Map<string, HTMLAnchorElement>();
  const list = element('ul', {});
  for (const { path, menu } of routes) {
    if (menu === undefined) continue;
    const text = element('span', {}, i18n.words(menu.label)('label'));
    const link = element('a', { href: hrefOf(path) }, icon(menu.icon), text);
    links.set(path, link);
    list.append(element('li', {}, link));
  }
  const nav = element('nav', { id: 'menu', 'aria-label': words('pages') }, list);
  const who = element(
    'div',
    { class: 'who' },
    element('span', {}, element('strong', {}, me.name), ' · ', me.role),
    button({ label: words('logout'), icon: 'leave', kind: 'quiet', iconOnly: true, onPress: onLogout }),
  );
  const brand = element(
    'a',
    { class: 'brand', href: hrefOf('/') },
    element('img', { src: '/sluice.svg', alt: '', width: '26', height: '26' }),
    'Sluice',
  );
  const toggle = button({ label: words('menu'), icon: 'menu', kind: 'quiet', iconOnly: true });
  toggle.classList.add('menu-toggle');
  toggle.setAttribute('aria-controls', 'menu');
  const foot = element('div', { class: 'side-foot' }, settings, who);
  const side = element('div', { class: 'side' }, element('div', { class: 'side-head' }, brand, toggle), nav, foot);
  const setOpen = (isOpen: boolean) => {
    side.classList.toggle('open', isOpen);
    toggle.setAttribute('aria-expanded', String(isOpen));
  };
  setOpen(false);
  toggle.addEventListener('click', () => setOpen(!side.classList.contains('open')));
  side.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !side.classList.contains('open')) return;
    setOpen(false);
    toggle.focus();
  });

  const heading = element('h1', { tabindex: '-1' });
  const banner = element('p', { class: 'banner', role: 'alert' });
  banner.hidden = true;
  const content = element('div', { class: 'content' });
  const main = element('main', { id: 'main', tabindex: '-1' }, banner, heading, content);
  const skip = element('a', { class: 'skip', href: '#main' }, words('skip'));
  const root = element('div', { class: 'frame' }, skip, side, main, toasts);

  return {
    root,
    content,
    setTitle: (title) => {
      heading.textContent = title;
      document.title = `${title} · Sluice`;
    },
    setCurrent: (path) => {
      for (const [target, link] of links) {
        if (target === path) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
      }
      setOpen(false);
    },
    setLost: (isLost) => {
      banner.textContent = isLost ? words('lost') : '';
      banner.hidden = !isLost;
    },
  };
}
