import { element } from '../../../dom.js';
import { button } from '../../components/button.js';
import { emptyState } from '../../components/empty-state.js';
import { loaded } from '../../components/loaded.js';
import { table } from '../../components/table.js';
import type { CaptureView } from '../../feed/views.js';
import type { Mount, PageContext } from '../../page.js';
import { isUnderWay, stateCell } from './capture-view.js';
import { type Means, startDialog } from './start-dialog.js';
import { stopCapture } from './stop-capture.js';
import { texts } from './texts.js';

/** Captures of meetings: started, watched, stopped; where there can't be any, why. */
export const mount: Mount = (root, context) => {
  const { api, feed, i18n, may, signal } = context;
  const words = i18n.words(texts);
  context.setTitle(words('title'));
  const captures = captureTable(context);
  const means = element('div', { class: 'stack' });
  const toolbar = element('div', { class: 'toolbar' }, element('p', { class: 'intro' }, words('intro')));
  let canBegin = true;
  const showList = () => {
    const all = newestFirst([...feed.captures.values()]);
    if (feed.isReady) captures.show(all);
    // Where none can begin, that is said already.
    captures.root.hidden = !canBegin && all.length === 0;
  };
  const showMeans = (told: Means) => {
    means.replaceChildren(...missing(context, told));
    canBegin = told.possible;
    showList();
    if (!told.possible || !may('sessions')) return;
    const start = async () => {
      await startDialog(context, told);
    };
    toolbar.append(button({ label: words('start'), icon: 'meeting', kind: 'primary', onPress: start }));
  };
  const about = loaded<Means>(context, {
    ask: () => api.get('/bbb', { signal }),
    show: showMeans,
    content: [means],
  });
  if (!may('sessions')) toolbar.append(element('p', { class: 'hint' }, words('onlyOperators')));
  root.append(toolbar, about.root, captures.root);
  feed.follow((changed) => {
    if (changed.has('captures')) showList();
  }, signal);
  return () => undefined;
};

const newestFirst = (captures: readonly CaptureView[]): CaptureView[] =>
  [...captures].sort((a, b) => Number(isUnderWay(b)) - Number(isUnderWay(a)) || b.startedAt.localeCompare(a.startedAt));

/** What keeps captures from beginning, with what to do about it. */
function missing({ i18n, may }: PageContext, told: Means): HTMLElement[] {
  const words = i18n.words(texts);
  if (told.possible && told.missing.length === 0) return [];
  const rows = told.missing.map(({ what, detail }) =>
    element('li', {}, element('strong', {}, `${words(what)}: `), element('span', { lang: 'en' }, detail)),
  );
  if (told.maxCaptures === 0) rows.push(element('li', {}, words('impossibleMost')));
  const title = words(told.possible ? 'limited' : 'impossible');
  const note = element('div', { class: 'note' }, element('h2', {}, title), element('ul', {}, ...rows));
  if (told.possible) note.dataset.tone = 'neutral';
  else note.dataset.tone = 'warning';
  if (may('config')) note.append(element('a', { href: '/console/config?q=bbb.' }, words('toConfig')));
  return [note];
}

function captureTable(context: PageContext) {
  const { i18n, may } = context;
  const words = i18n.words(texts);
  const { format } = i18n;
  const stop = {
    title: words('actions'),
    actions: true,
    cell: (capture: CaptureView) => {
      if (!isUnderWay(capture)) return '';
      const { meetingId: meeting } = capture;
      const press = button({ label: words('stopShort'), icon: 'stop', onPress: () => stopCapture(context, capture) });
      press.setAttribute('aria-label', words('stop', { meeting }));
      return press;
    },
  };
  return table<CaptureView>({
    caption: words('caption'),
    key: ({ id }) => id,
    empty: emptyState(words('none'), words('noneText')),
    columns: [
      {
        title: words('meeting'),
        cell: ({ id, meetingId, startedBy }) =>
          element(
            'div',
            { class: 'two-lines' },
            element('a', { href: `/console/bbb/${id}` }, meetingId),
            element('span', { class: 'hint' }, words('by', { who: startedBy })),
          ),
      },
      { title: words('to'), cell: ({ target }) => element('span', { class: 'breakable' }, target) },
      { title: words('state'), cell: (capture) => stateCell(i18n, capture) },
      { title: words('since'), cell: ({ startedAt }) => format.dateTime(startedAt) },
      {
        title: words('pictures'),
        numeric: true,
        cell: (capture) =>
          isUnderWay(capture) ? words('perSecond', { rate: format.number(capture.picturesPerSecond, 1) }) : '–',
      },
      { title: words('sent'), numeric: true, cell: ({ bytes }) => format.bytes(bytes) },
      { title: words('rejoins'), numeric: true, cell: ({ rejoins }) => format.number(rejoins) },
      ...(may('sessions') ? [stop] : []),
    ],
  });
}
