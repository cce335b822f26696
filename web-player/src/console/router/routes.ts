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
  {
    path: '/recordings',
    needs: 'read',
    menu: { icon: 'film', label: label('Recordings', 'Aufnahmen') },
    load: () => import('../pages/recordings/recordings.js'),
  },
  {
    path: '/recordings/*path',
    needs: 'read',
    below: '/recordings',
    load: () => import('../pages/recordings/recording.js'),
  },
  {
    path: '/bbb',
    needs: 'read',
    menu: { icon: 'meeting', label: label('BigBlueButton', 'BigBlueButton') },
    load: () => import('../pages/captures/captures.js'),
  },
  { path: '/bbb/:id', needs: 'read', below: '/bbb', load: () => import('../pages/captures/capture.js') },
  {
    path: '/bans',
    needs: 'read',
    menu: { icon: 'ban', label: label('Bans', 'Sperren') },
    load: () => import('../pages/bans/bans.js'),
  },
  {
    path: '/keys',
    needs: 'keys',
    menu: { icon: 'key', label: label('Keys and tokens', 'Schlüssel und Token') },
    load: () => import('../pages/keys/keys.js'),
  },
  {
    path: '/users',
    needs: 'admin',
    menu: { icon: 'user', label: label('Users', 'Benutzer') },
    load: () => import('../pages/users/users.js'),
  },
  {
    path: '/server',
    needs: 'read',
    menu: { icon: 'server', label: label('Server', 'Server') },
    load: () => import('../pages/server/server.js'),
  },
  {
    path: '/cluster',
    needs: 'read',
    menu: { icon: 'nodes', label: label('Cluster', 'Cluster') },
    load: () => import('../pages/cluster/cluster.js'),
  },
  {
    path: '/config',
    needs: 'config',
    menu: { icon: 'settings', label: label('Configuration', 'Konfiguration') },
    load: () => import('../pages/config/config.js'),
  },
  {
    path: '/doctor',
    needs: 'config',
    menu: { icon: 'health', label: label('Doctor', 'Doktor') },
    load: () => import('../pages/doctor/doctor.js'),
  },
  {
    path: '/audit',
    needs: 'admin',
    menu: { icon: 'list', label: label('Audit log', 'Protokoll') },
    load: () => import('../pages/audit/audit.js'),
  },
];
