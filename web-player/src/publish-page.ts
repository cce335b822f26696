import { element, required } from './dom.js';
import { pressByLetters } from './letter-keys.js';
import { streamPathOf } from './protocol.js';
import { showDuration, showFigures, showLevel, tellLevel } from './publish/publish-display.js';
import { type PublishFigures, PublishStatistics, type StatisticsEntry } from './publish/publish-statistics.js';
import { whipEndpoint } from './publish/publish-target.js';
import { createPublishView } from './publish/publish-view.js';
import { SILENCE_DB } from './publish/sound-level.js';
import { Studio } from './publish/studio.js';
import { WakeLock } from './publish/wake-lock.js';

const FIGURES_MS = 1000;

const path = streamPathOf(location.pathname);
if (path === undefined) {
  const text = 'This is no name of a stream. The address to publish at looks like /publish/live/show.';
  required('publish').append(element('p', { class: 'astray' }, text, ' ', element('a', { href: '/' }, 'All streams')));
} else {
  open(path);
}

function open(streamPath: string): void {
  document.title = `Publish ${streamPath} · Sluice`;
  const view = createPublishView(streamPath, `${location.origin}/player/${streamPath}`);
  required('publish').append(view.root);
  const { settings } = view;
  const studio = new Studio({
    view,
    endpoint: () => whipEndpoint(location.origin, streamPath, location.search, settings.credential.value),
  });
  settings.root.addEventListener('submit', (event) => {
    event.preventDefault();
    studio.go();
  });
  settings.root.addEventListener('change', ({ target }) => {
    if (target !== settings.credential) void studio.chosen();
  });
  view.notice.retry.addEventListener('click', () => void studio.retry());
  view.microphone.addEventListener('click', () => studio.toggle('audio'));
  view.camera.addEventListener('click', () => studio.toggle('video'));
  pressByLetters({ m: view.microphone, v: view.camera });
  for (const gesture of ['pointerdown', 'keydown'] as const) {
    document.addEventListener(gesture, () => void studio.meter.wake());
  }
  addEventListener('beforeunload', (event) => {
    if (studio.state !== 'idle') event.preventDefault();
  });
  addEventListener('pagehide', () => studio.leave());
  watch(studio, view);
  void studio.open();
}

/** Keeps what moves by itself up to date: level, duration and figures. */
function watch(studio: Studio, view: ReturnType<typeof createPublishView>): void {
  const wakeLock = new WakeLock();
  let statistics = new PublishStatistics();
  let figures: PublishFigures | undefined;
  let level = SILENCE_DB;
  const drawLevel = (now: number) => {
    level = studio.meter.read(now);
    showLevel(view, level);
    requestAnimationFrame(drawLevel);
  };
  requestAnimationFrame(drawLevel);
  const look = async () => {
    tellLevel(view, level);
    const { liveSeconds } = studio;
    void wakeLock.hold(liveSeconds !== undefined);
    if (liveSeconds !== undefined) showDuration(view, liveSeconds);
    const report = studio.state === 'live' ? await studio.statistics() : undefined;
    if (report === undefined) statistics = new PublishStatistics();
    figures = report && statistics.look(entriesOf(report));
    showFigures(view, figures);
  };
  setInterval(() => void look(), FIGURES_MS);
  // How it stands, for tests and for the curious.
  Object.defineProperty(window, 'sluicePublish', {
    get: () => ({ state: studio.state, fault: studio.fault, figures, level: studio.meter.read(performance.now()) }),
  });
}

function entriesOf(report: RTCStatsReport): StatisticsEntry[] {
  const entries: StatisticsEntry[] = [];
  report.forEach((entry: StatisticsEntry) => void entries.push(entry));
  return entries;
}
