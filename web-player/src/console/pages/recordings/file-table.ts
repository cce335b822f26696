import { element } from '../../../dom.js';
import { badge } from '../../components/badge.js';
import { button } from '../../components/button.js';
import { confirm } from '../../components/confirm.js';
import { emptyState } from '../../components/empty-state.js';
import { icon } from '../../components/icon.js';
import { table } from '../../components/table.js';
import type { Tone } from '../../components/tone.js';
import type { PageContext } from '../../page.js';
import { texts } from './texts.js';

/** A recorded file, as `GET /api/v2/recordings` tells it. */
export interface RecordedFile {
  readonly id: string;
  readonly path: string;
  readonly container: string;
  readonly file: string;
  readonly state: 'writing' | 'ready' | 'damaged' | 'missing';
  readonly reason: string | null;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly bytes: number;
  readonly gaps: readonly unknown[];
  readonly isLocal: boolean;
  readonly isKept: boolean;
  readonly remote: object | null;
}

export interface FileActions {
  /** Where a file is fetched. */
  readonly urlOf: (file: RecordedFile) => string;
  readonly play: (file: RecordedFile) => void;
  /** Something has changed. */
  readonly changed: () => Promise<void>;
}

const TONES: Readonly<Record<RecordedFile['state'], Tone>> = {
  writing: 'live',
  ready: 'good',
  damaged: 'bad',
  missing: 'bad',
};

/** The files of a stream: played, fetched, kept, deleted. */
export function fileTable(context: PageContext, actions: FileActions) {
  const { i18n } = context;
  const words = i18n.words(texts);
  const { format } = i18n;
  return table<RecordedFile>({
    caption: words('files'),
    key: ({ id }) => id,
    empty: emptyState(words('noFiles'), words('noFilesText')),
    columns: [
      { title: words('start'), cell: ({ startedAt }) => format.dateTime(startedAt) },
      { title: words('length'), numeric: true, cell: ({ durationMs }) => format.duration(durationMs / 1000) },
      { title: words('size'), numeric: true, cell: ({ bytes }) => format.bytes(bytes) },
      { title: words('kind'), cell: ({ container }) => container.toUpperCase() },
      { title: words('state'), cell: (file) => stateCell(context, file) },
      { title: words('actions'), actions: true, cell: (file) => actionCell(context, file, actions) },
    ],
  });
}

function stateCell({ i18n }: PageContext, { state, reason, isKept, remote, gaps }: RecordedFile): HTMLElement {
  const words = i18n.words(texts);
  const badges = [
    badge(words(state), TONES[state]).root,
    ...(isKept ? [badge(words('kept'), 'good').root] : []),
    ...(remote === null ? [] : [badge(words('remote')).root]),
    ...(gaps.length === 0 ? [] : [badge(words('gaps', { n: gaps.length }), 'warning').root]),
  ];
  const note = reason === null ? [] : [element('span', { class: 'hint', lang: 'en' }, reason)];
  return element('div', { class: 'two-lines' }, element('span', { class: 'badges' }, ...badges), ...note);
}

function actionCell(context: PageContext, file: RecordedFile, { urlOf, play, changed }: FileActions): HTMLElement {
  const { api, i18n, may, toast, fail } = context;
  const words = i18n.words(texts);
  const time = i18n.format.dateTime(file.startedAt);
  const root = element('span', { class: 'actions' });
  const quiet = { kind: 'quiet', iconOnly: true } as const;
  if (file.container === 'mp4' && file.state !== 'missing') {
    root.append(button({ label: words('play', { time }), icon: 'play', ...quiet, onPress: () => play(file) }));
  }
  if (file.state === 'ready' || file.state === 'damaged') {
    const label = words('download', { time });
    const link = element('a', {
      class: 'button quiet icon-only',
      href: urlOf(file),
      download: '',
      'aria-label': label,
    });
    link.title = label;
    link.append(icon('download'));
    root.append(link);
  }
  if (!may('sessions') || file.state === 'writing') return root;
  const keep = async () => {
    try {
      await api.patch(`/recordings/files/${file.id}`, { isKept: !file.isKept });
      toast(words(file.isKept ? 'unkeepDone' : 'keepDone'), 'good');
      await changed();
    } catch (error) {
      fail(error);
    }
  };
  const remove = async () => {
    const done = await confirm(context, {
      title: words('deleteTitle'),
      text: words('deleteText', { time, size: i18n.format.bytes(file.bytes) }),
      action: words('deleteAction'),
      act: () => api.delete(`/recordings/files/${file.id}`),
    });
    if (!done) return;
    toast(words('deleted'), 'good');
    await changed();
  };
  const keeper = button({
    label: words(file.isKept ? 'unkeep' : 'keep', { time }),
    icon: 'keep',
    ...quiet,
    onPress: keep,
  });
  keeper.setAttribute('aria-pressed', String(file.isKept));
  const bin = button({
    label: words('delete', { time }),
    icon: 'trash',
    ...quiet,
    disabled: file.isKept,
    onPress: remove,
  });
  if (file.isKept) bin.title = words('keptNote');
  root.append(keeper, bin);
  return root;
}
