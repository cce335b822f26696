import { element } from '../../../dom.js';
import { pathPart } from '../../api-client/api-client.js';
import { ApiFailure } from '../../api-client/api-failure.js';
import { badge } from '../../components/badge.js';
import { button } from '../../components/button.js';
import { emptyState } from '../../components/empty-state.js';
import { figures } from '../../components/figures.js';
import { table } from '../../components/table.js';
import type { CaptureView } from '../../feed/views.js';
import type { Mount, PageContext } from '../../page.js';
import { isUnderWay, stateCell } from './capture-view.js';
import { stopCapture } from './stop-capture.js';
import { texts } from './texts.js';

interface Line {
  readonly at: string;
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Lines may come without a change of state. */
const LOG_MS = 5000;
const TONES = { info: 'neutral', warn: 'warning', error: 'bad' } as const;

/** One capture, with the last lines of its log. */
export const mount: Mount = (root, context) => {
  const { api, feed, i18n, may, params, signal, fail } = context;
  const words = i18n.words(texts);
  const id = params.id ?? '';
  context.setTitle(words('title'));
  const back = element('a', { class: 'button', href: '/console/bbb' }, words('back'));
  const toolbar = element('div', { class: 'toolbar' }, back);
  const about = element('section', { class: 'panel' });
  const log = logTable(context);
  const logs = element(
    'section',
    { class: 'stack' },
    element('h2', {}, words('log')),
    element('p', { class: 'intro' }, words('logText')),
    log.root,
  );
  let stop: HTMLButtonElement | undefined;
  const show = (capture: CaptureView) => {
    context.setTitle(capture.meetingId);
    about.replaceChildren(element('h2', {}, words('about')), aboutOf(context, capture));
    if (stop === undefined && isUnderWay(capture) && may('sessions')) {
      const { meetingId: meeting } = capture;
      stop = button({
        label: words('stop', { meeting }),
        icon: 'stop',
        kind: 'danger',
        onPress: () => stopCapture(context, capture),
      });
      toolbar.append(stop);
    }
    if (stop !== undefined) stop.hidden = !isUnderWay(capture);
  };
  const load = async () => {
    try {
      const path = `/bbb/captures/${pathPart(id)}`;
      const [capture, { lines }] = await Promise.all([
        api.get<CaptureView>(path, { signal }),
        api.get<{ lines: Line[] }>(`${path}/log`, { signal }),
      ]);
      if (signal.aborted) return;
      show(capture);
      log.show([...lines].reverse());
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiFailure && error.status === 404) {
        root.replaceChildren(emptyState(words('gone'), words('goneText'), back));
      } else fail(error);
    }
  };
  root.append(toolbar, about, logs);
  let state = '';
  let loadedAt = 0;
  feed.follow((changed) => {
    const capture = feed.captures.get(id);
    if (capture === undefined || !changed.has('captures')) return;
    show(capture);
    // Its log grows when something happens to it.
    const next = JSON.stringify([capture.state, capture.step, capture.trouble, capture.rejoins, capture.detail]);
    if (next === state && Date.now() - loadedAt < LOG_MS) return;
    state = next;
    loadedAt = Date.now();
    void load();
  }, signal);
  void load();
  return () => undefined;
};

function aboutOf({ i18n }: PageContext, capture: CaptureView): HTMLElement {
  const words = i18n.words(texts);
  const { format } = i18n;
  const { meetingId, target, profile, generation, startedAt, startedBy, endedAt, pictures, bytes } = capture;
  const rate = words('perSecond', { rate: format.number(capture.picturesPerSecond, 1) });
  return figures([
    { label: words('state'), value: stateCell(i18n, capture) },
    { label: words('meeting'), value: meetingId },
    { label: words('to'), value: target },
    { label: words('profile'), value: profile },
    { label: words('generation'), value: generation ?? '–' },
    { label: words('began'), value: `${format.dateTime(startedAt)}, ${words('by', { who: startedBy })}` },
    ...(endedAt === null ? [] : [{ label: words('finished'), value: format.dateTime(endedAt) }]),
    {
      label: words('pictures'),
      value: isUnderWay(capture) ? `${format.number(pictures)}, ${rate}` : format.number(pictures),
    },
    { label: words('sent'), value: format.bytes(bytes) },
    { label: words('rejoins'), value: format.number(capture.rejoins) },
  ]);
}

function logTable({ i18n }: PageContext) {
  const words = i18n.words(texts);
  const textOf = (name: string, value: unknown): string => {
    if (name === 'since' && typeof value === 'number') return i18n.format.time(new Date(value).toISOString());
    return typeof value === 'string' ? value : (JSON.stringify(value) ?? '–');
  };
  return table<Line>({
    caption: words('log'),
    key: ({ at, message, fields }) => `${at} ${message} ${JSON.stringify(fields)}`,
    empty: emptyState(words('noLog'), words('noLogText')),
    columns: [
      { title: words('at'), cell: ({ at }) => element('time', { datetime: at }, i18n.format.time(at)) },
      {
        title: words('message'),
        cell: ({ level, message }) =>
          element('span', { lang: 'en' }, ...(level === 'info' ? [] : [badge(level, TONES[level]).root, ' ']), message),
      },
      {
        title: words('details'),
        cell: ({ fields }) => {
          const told = Object.entries(fields).filter(([name]) => name !== 'kind');
          const parts = told.map(([name, value]) => `${name}: ${textOf(name, value)}`);
          return element('span', { class: 'breakable hint', lang: 'en' }, parts.join(' · ') || '–');
        },
      },
    ],
  });
}
