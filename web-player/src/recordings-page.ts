import { element, required, setText } from './dom.js';
import { formatCount, formatDuration } from './format.js';
import { fileRow } from './recordings/file-row.js';
import { RecordedPlayback } from './recordings/recorded-playback.js';
import { RecordingUrls, recordedPathOf } from './recordings/recording-urls.js';
import { createRecordingsView, type RecordingsView } from './recordings/recordings-view.js';
import { ENGLISH } from './recordings/texts.js';
import type { Timeline } from './recordings/timeline.js';

const MOST_FILES = 500;

const path = recordedPathOf(location.pathname);
if (path === undefined) {
  const text = 'This is no name of a stream. Recordings are at addresses like /player/live/show/recordings.';
  required('recordings').append(
    element('p', { class: 'astray' }, text, ' ', element('a', { href: '/' }, 'All streams')),
  );
} else {
  open(path);
}

function open(streamPath: string): void {
  document.title = `Recordings of ${streamPath} · Sluice`;
  const urls = new RecordingUrls(streamPath, location.search);
  const view = createRecordingsView(streamPath, urls.player);
  required('recordings').append(view.root);
  const onTimeline = (timeline: Timeline) => showFiles(view, urls, timeline);
  const playback = new RecordedPlayback({ view, urls, texts: ENGLISH, onTimeline });
  void playback.load();
  // How it stands, for tests and for the curious.
  Object.defineProperty(window, 'sluiceRecordings', { get: () => playback.report });
}

function showFiles(view: RecordingsView, urls: RecordingUrls, { spans, files, isGrowing }: Timeline): void {
  const seconds = spans.reduce((sum, { start, end }) => sum + (end - start) / 1000, 0);
  const told = [formatCount(files.length, 'file'), formatDuration(seconds), ...(isGrowing ? ['recording now'] : [])];
  setText(view.summary, told.join(' · '));
  const newest = files.slice(-MOST_FILES).reverse();
  view.files.replaceChildren(...newest.map((file) => fileRow(file, urls.file(file.url))));
}
