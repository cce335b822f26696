import type { IconName } from '../components/icon.js';
import type { Dictionary } from '../i18n/i18n.js';
import type { Mount } from '../page.js';
import type { Scope } from '../session/session.js';

/** A page of the console and how to get there. */
export interface ConsoleRoute {
  /** Below `/console`: `/streams/*path`. */
  readonly path: string;
  /** Who may see it; others don't find it in the menu. */
  readonly needs: Scope;
  /** Its place in the menu; pages without one are reached from others. */
  readonly menu?: { readonly icon: IconName; readonly label: Dictionary<'label'> };
  /** Which entry of the menu is marked while it is open, where it has none itself. */
  readonly below?: string;
  readonly load: () => Promise<{ readonly mount: Mount }>;
}

const label = (en: string, de: string): Dictionary<'label'> => ({ en: { label: en }, de: { label: de } });

/** All pages, in the order of the menu. */
export const ROUTES: readonly ConsoleRoute[] = [
  {
    path: '/',
    needs: 'read',
    menu: { icon: 'board', label: label('Streams', 'Streams') },
    load: () => import('../pages/board/board.js'),
  },
  {
    path: '/streams/*path',
    needs: 'read',
    below: '/',
    load: () => import('../pages/stream/stream.js'),
  },
  {
    path: '/sessions',
    needs: 'read',
    menu: { icon: 'people', label: label('Sessions', 'Sitzungen') },
    load: () => import('../pages/sessions/sessions.js'),
  },
];
