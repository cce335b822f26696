import { element } from '../../../dom.js';
import { badge } from '../../components/badge.js';
import { button } from '../../components/button.js';
import { protocolName } from '../../components/stream-words.js';
import { type Column, type Table, table } from '../../components/table.js';
import type { SessionView } from '../../feed/views.js';
import type { PageContext } from '../../page.js';
import { denySession, kickSession } from './end-session.js';
import { sessionTexts } from './texts.js';

export interface SessionTableOptions {
  readonly context: PageContext;
  readonly caption: string;
  readonly empty: HTMLElement;
  /** Of one stream's viewers: what is the same for all is left out. */
  readonly viewersOnly?: boolean;
}

/** Sessions with what can be done about them. */
export function sessionTable({ context, caption, empty, viewersOnly }: SessionTableOptions): Table<SessionView> {
  const { i18n, may } = context;
  const words = i18n.words(sessionTexts);
  const { format } = i18n;
  const rate = ({ action, bitrate }: SessionView) => (action === 'publish' ? bitrate.received : bitrate.sent);
  const bytes = ({ action, received, sent }: SessionView) => (action === 'publish' ? received : sent);
  const about: Column<SessionView>[] = [
    {
      title: words('action'),
      cell: ({ action }) => badge(words(action), action === 'publish' ? 'live' : 'neutral').root,
      sortBy: ({ action }) => action,
    },
    {
      title: words('path'),
      cell: ({ path }) => element('a', { href: `/console/streams/${path}` }, path),
      sortBy: ({ path }) => path,
    },
  ];
  const columns: Column<SessionView>[] = [
    ...(viewersOnly === true ? [] : about),
    {
      title: words('protocol'),
      cell: ({ protocol }) => protocolName(protocol),
      sortBy: ({ protocol }) => protocol,
      short: true,
    },
    {
      title: words('ip'),
      cell: ({ ip, addresses }) => {
        const others = addresses.length - 1;
        return others > 0 ? words('addresses', { ip, n: others }) : ip;
      },
      sortBy: ({ ip }) => ip,
      short: true,
    },
    { title: words('viewer'), cell: ({ viewer }) => viewer ?? '–', sortBy: ({ viewer }) => viewer ?? '' },
    { title: words('client'), cell: ({ userAgent }) => clientOf(userAgent) },
    {
      title: words('since'),
      cell: ({ openedAt }) => {
        const text = format.duration((Date.now() - Date.parse(openedAt)) / 1000);
        return element('time', { datetime: openedAt, title: format.dateTime(openedAt) }, text);
      },
      sortBy: ({ openedAt }) => -Date.parse(openedAt),
      numeric: true,
    },
    { title: words('rate'), cell: (row) => format.bitrate(rate(row)), sortBy: rate, numeric: true },
    { title: words('bytes'), cell: (row) => format.bytes(bytes(row)), sortBy: bytes, numeric: true },
    {
      title: words('actions'),
      actions: true,
      cell: (row) => {
        if (row.ending !== null) return badge(words('ending'), 'warning').root;
        const kick = () => kickSession(context, row);
        const deny = () => denySession(context, row);
        const allowed = { kind: 'quiet', disabled: !may('sessions') } as const;
        return element(
          'span',
          { class: 'session-actions' },
          button({ label: words('kick'), ...allowed, onPress: kick }),
          button({ label: words('deny'), ...allowed, onPress: deny }),
        );
      },
    },
  ];
  return table<SessionView>({
    caption,
    columns,
    empty,
    key: ({ id }) => id,
    sort: { column: columns.findIndex(({ title }) => title === words('since')), down: true },
  });
}

/** Clients that people know by a word; those that call themselves others' names too come first. */
const CLIENTS = ['OBS', 'Lavf', 'VLC', 'mpv', 'GStreamer', 'curl', 'FMLE', 'Firefox', 'Edg', 'OPR', 'Chrome', 'Safari'];
const LONGEST_CLIENT = 24;

/** What a client calls itself, shortened to what tells clients apart. */
function clientOf(userAgent: string | null): HTMLElement | string {
  if (userAgent === null) return '–';
  const known = CLIENTS.find((name) => userAgent.includes(name));
  const short = userAgent.length > LONGEST_CLIENT ? `${userAgent.slice(0, LONGEST_CLIENT - 1)}…` : userAgent;
  return element('span', { title: userAgent }, known ?? short);
}
