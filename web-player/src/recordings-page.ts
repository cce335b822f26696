import { element, required, setText } from './dom.js';
import { formatClock, formatCount, formatDuration } from './format.js';
import { pressByLetters } from './letter-keys.js';
import { type Marks, marksWith, markText } from './recordings/clip-marks.js';
import { fileRow } from './recordings/file-row.js';
import { RecordingUrls, recordedPathOf } from './recordings/recording-urls.js';
import { createRecordingsView, type RecordingsView } from './recordings/recordings-view.js';
import { TimeBar } from './recordings/time-bar.js';
import { nextRecorded, type Timeline, timelineOf } from './recordings/timeline.js';
import { VodPlayer } from './recordings/vod-player.js';

const TICK_MS = 250;
/** While a stream is recorded, there is more from time to time. */
const REFRESH_MS = 10_000;
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
  let timeline: Timeline = { spans: [], files: [], isGrowing: false };
  let marks: Marks = { start: undefined, end: undefined };
  const player = new VodPlayer(view.video, (from, to) => urls.playlist(from, to), {
    ended: (time) => {
      const next = nextRecorded(timeline.spans, time + 1000);
      if (next !== undefined) player.playFrom(next);
    },
    failed: (status) => say(view, messageFor(status)),
  });
  const bar = new TimeBar(view, urls, {
    chosen: (time) => {
      say(view, undefined);
      player.playFrom(time);
    },
  });
  const load = async (): Promise<void> => {
    const answer = await ask(urls.timeline);
    if (typeof answer === 'number') say(view, messageFor(answer));
    else {
      const isFirst = timeline.spans.length === 0 && timeline.files.length === 0;
      timeline = answer;
      bar.timeline = timeline;
      showFiles(view, urls, timeline);
      if (isFirst) begin(view, bar, timeline);
    }
    if (typeof answer === 'number' || answer.isGrowing) setTimeout(() => void load(), REFRESH_MS);
  };
  const mark = (which: 'start' | 'end' | undefined) => {
    const { time } = player;
    if (which !== undefined && time === undefined) return;
    marks = which === undefined ? { start: undefined, end: undefined } : marksWith(marks, which, time ?? 0);
    bar.marks = marks;
    showMarks(view, urls, marks);
  };
  view.markStart.addEventListener('click', () => mark('start'));
  view.markEnd.addEventListener('click', () => mark('end'));
  view.clear.addEventListener('click', () => mark(undefined));
  pressByLetters({ i: view.markStart, o: view.markEnd });
  view.video.addEventListener('playing', () => say(view, undefined));
  setInterval(() => {
    const { time } = player;
    if (time !== undefined) bar.time = time;
  }, TICK_MS);
  void load();
  // How it stands, for tests and for the curious.
  Object.defineProperty(window, 'sluiceRecordings', {
    get: () => ({
      time: player.time,
      currentTime: view.video.currentTime,
      isPlaying: !view.video.paused && view.video.readyState > 2,
      framesDecoded: view.video.getVideoPlaybackQuality().totalVideoFrames,
      spans: timeline.spans,
      marks,
      errors: player.errors,
    }),
  });
}

async function ask(url: string): Promise<Timeline | number> {
  try {
    const response = await fetch(url, { cache: 'no-store' });
    return response.ok ? timelineOf(await response.json()) : response.status;
  } catch {
    return 0;
  }
}

/** Shows the newest day, and waits for a click. */
function begin(view: RecordingsView, bar: TimeBar, { spans, files }: Timeline): void {
  const last = spans.at(-1);
  if (last === undefined) {
    const text =
      files.length === 0 ? 'Nothing of this stream is recorded.' : 'Nothing here can be played by time: see the files.';
    say(view, text);
    return;
  }
  bar.showAround(last.end - 1);
  say(view, 'Choose a time on the bar below.');
}

function showFiles(view: RecordingsView, urls: RecordingUrls, { spans, files, isGrowing }: Timeline): void {
  const seconds = spans.reduce((sum, { start, end }) => sum + (end - start) / 1000, 0);
  const told = [formatCount(files.length, 'file'), formatDuration(seconds), ...(isGrowing ? ['recording now'] : [])];
  setText(view.summary, told.join(' · '));
  const newest = files.slice(-MOST_FILES).reverse();
  view.files.replaceChildren(...newest.map((file) => fileRow(file, urls.file(file.url))));
}

function showMarks(view: RecordingsView, urls: RecordingUrls, marks: Marks): void {
  const { start, end } = marks;
  setText(view.range, markText(marks));
  view.clear.hidden = start === undefined && end === undefined;
  view.download.hidden = start === undefined || end === undefined;
  if (start === undefined || end === undefined) return;
  view.download.href = urls.clip(start, end);
  setText(view.download, `Download clip (${formatClock((end - start) / 1000)})`);
}

function say(view: RecordingsView, text: string | undefined): void {
  view.notice.hidden = text === undefined;
  if (text !== undefined) setText(view.notice, text);
}

function messageFor(status: number | undefined): string {
  if (status === 401)
    return 'You need a valid link to watch this. The one that you have is missing its key, or is too old.';
  if (status === 403) return 'The server does not let you watch this.';
  if (status === 404) return 'Nothing is recorded at this time.';
  if (status === 429) return 'The server takes no more viewers just now.';
  return status === undefined || status === 0
    ? 'The server does not answer.'
    : `This can’t be played: the server answered ${status}.`;
}
