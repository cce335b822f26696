import { element } from '../../../dom.js';
import { createPlaybackView } from '../../../recordings/playback-view.js';
import { RecordedPlayback } from '../../../recordings/recorded-playback.js';
import { RecordingUrls } from '../../../recordings/recording-urls.js';
import { pathPart } from '../../api-client/api-client.js';
import { button } from '../../components/button.js';
import { loaded } from '../../components/loaded.js';
import { askMediaOrigin } from '../../media/media-origin.js';
import type { Mount } from '../../page.js';
import { fileTable, type RecordedFile } from './file-table.js';
import { playbackTexts } from './playback-texts.js';
import { texts } from './texts.js';

interface Files {
  readonly recordings: readonly RecordedFile[];
  readonly cursor: string | null;
}

interface Access {
  readonly parameter: string;
  readonly value: string;
}

/** What is recorded of one stream: played by time, cut into clips, and file by file. */
export const mount: Mount = (root, context) => {
  const { api, feed, i18n, params, signal, fail } = context;
  const words = i18n.words(texts);
  const path = params.path ?? '';
  context.setTitle(path);
  let playback: RecordedPlayback | undefined;
  let urls: RecordingUrls | undefined;
  let shown: readonly RecordedFile[] = [];
  let cursor: string | null = null;

  const ask = (from?: string) => api.get<Files>('/recordings', { query: { path, limit: 100, cursor: from }, signal });
  const show = (files: readonly RecordedFile[], next: string | null) => {
    [shown, cursor] = [files, next];
    table.show(shown);
    more.hidden = cursor === null;
  };
  const again = async () => {
    await Promise.all([list.reload(), playback?.load()]);
  };
  const table = fileTable(context, {
    urlOf: ({ id, container }) => urls?.file(`/${path}/recordings/${id}.${container}`) ?? '',
    play: ({ startedAt }) => {
      playback?.playFrom(Date.parse(startedAt));
      stage.scrollIntoView({ block: 'start' });
    },
    changed: again,
  });
  const more = button({
    label: words('more'),
    onPress: async () => {
      try {
        const { recordings, cursor: next } = await ask(cursor ?? undefined);
        if (!signal.aborted) show([...shown, ...recordings], next);
      } catch (error) {
        fail(error);
      }
    },
  });
  more.hidden = true;
  const stage = element('div', { class: 'stack' });
  const list = loaded<Files>(context, {
    // Links to files hold a token: it has to be there before they are.
    ask: async () => {
      if (playback === undefined) await prepare();
      return ask();
    },
    show: ({ recordings, cursor: next }) => show(recordings, next),
    content: [stage, element('h2', {}, words('files')), table.root, element('div', { class: 'list-foot' }, more)],
  });
  const prepare = async () => {
    const [origin, access] = await Promise.all([
      askMediaOrigin(api, signal),
      api.post<Access>(`/recordings/access/${pathPart(path)}`, {}, { signal }),
    ]);
    if (signal.aborted) return;
    const query = new URLSearchParams({ [access.parameter]: access.value });
    urls = new RecordingUrls(path, `?${query}`, origin);
    const told = playbackTexts[i18n.language];
    const view = createPlaybackView(path, told);
    playback = new RecordedPlayback({ view, urls, texts: told });
    stage.replaceChildren(view.playback);
    // How it stands, for tests and for the curious.
    Object.defineProperty(window, 'sluiceRecordings', { configurable: true, get: () => playback?.report });
    void playback.load();
  };
  const back = element('a', { class: 'button', href: '/console/recordings' }, words('back'));
  root.append(element('div', { class: 'toolbar' }, back), list.root);
  let seen: number | undefined;
  feed.follow((changed) => {
    if (!feed.isReady || !changed.has('events')) return;
    const newest = feed.events.find(({ type, path: of }) => of === path && type.startsWith('recording-'))?.id;
    if (seen !== undefined && newest !== seen) void again();
    seen = newest ?? 0;
  }, signal);
  return () => playback?.close();
};
