import { element, setText } from '../../../dom.js';
import { badge } from '../../components/badge.js';
import { healthWords } from '../../components/health-words.js';
import type { ListItem } from '../../components/keyed-list.js';
import type { Posters } from '../../components/posters.js';
import { sparkline } from '../../components/sparkline.js';
import { protocolCounts, tracksWords } from '../../components/stream-words.js';
import type { Feed } from '../../feed/feed.js';
import type { StreamView } from '../../feed/views.js';
import type { I18n } from '../../i18n/i18n.js';
import { boardTexts } from './texts.js';

/** A minute, as the feed remembers it. */
const SPARK_POINTS = 60;
const HEALTH_TONES = { good: 'good', warning: 'warning', bad: 'bad' } as const;

export interface StreamCard extends ListItem<StreamView> {
  /** Whether somebody can see it. What can't be seen is not kept up to date. */
  setVisible(isVisible: boolean): void;
}

export interface StreamCardOptions {
  readonly path: string;
  readonly i18n: I18n;
  readonly feed: Feed;
  readonly posters: Posters;
}

/** One stream of the board. */
export function streamCard({ path, i18n, feed, posters }: StreamCardOptions): StreamCard {
  const words = i18n.words(boardTexts);
  const { format } = i18n;
  const poster = element('img', { alt: '', hidden: '', width: '160', height: '90' });
  const noPoster = element('span', { class: 'no-poster' }, words('noPicture'));
  const state = badge();
  const health = badge();
  const recording = badge(words('recording'), 'live');
  const slash = path.lastIndexOf('/') + 1;
  const app = element('span', { class: 'app' }, path.slice(0, slash));
  const link = element('a', { href: `/console/streams/${path}` }, app, path.slice(slash));
  const tracks = element('p', { class: 'tracks' });
  const reason = element('p', { class: 'reason' });
  const spark = sparkline();
  const figure = (label: string) => {
    const value = element('dd');
    return { value, root: element('div', {}, element('dt', {}, label), value) };
  };
  const bitrate = figure(words('in'));
  const keyframes = figure(words('keyframes'));
  const drift = figure(words('drift'));
  const viewers = figure(words('watching'));
  const root = element(
    'li',
    { class: 'stream-card' },
    element('div', { class: 'poster' }, noPoster, poster),
    element(
      'div',
      { class: 'about' },
      element('h2', {}, link),
      element('p', { class: 'card-badges' }, state.root, health.root, recording.root),
      tracks,
    ),
    element('dl', { class: 'card-figures' }, bitrate.root, keyframes.root, drift.root, viewers.root),
    spark.root,
    reason,
  );
  root.dataset.path = path;
  let latest: StreamView | undefined;
  let isVisible = false;

  const render = () => {
    if (latest === undefined || !isVisible) return;
    const { figures } = latest;
    const isLive = latest.state === 'live';
    state.set(words(isLive ? 'live' : 'waiting'), isLive ? 'live' : 'warning');
    health.set(words(latest.health.state), HEALTH_TONES[latest.health.state]);
    recording.root.hidden = !feed.recordings.values().some((active) => active.path === path);
    const fps = figures.fps === null ? [] : [`${format.number(figures.fps, 1)} fps`];
    setText(tracks, [tracksWords(latest) ?? words('tracksUnknown'), ...fps].join(' · '));
    setText(bitrate.value, format.bitrate(figures.bitrate));
    setText(keyframes.value, format.seconds(figures.keyframeInterval));
    setText(drift.value, format.signedMillis(figures.avDrift));
    setText(viewers.value, protocolCounts(latest.viewersByProtocol, i18n) ?? words('nobody'));
    setText(reason, latest.health.reasons.map((why) => healthWords(why, i18n)).join('. '));
    reason.dataset.tone = HEALTH_TONES[latest.health.state];
    spark.show(feed.bitratesOf(path), SPARK_POINTS);
    if (isLive) posters.want(path, showPoster);
  };
  const showPoster = (url: string) => {
    poster.src = url;
    poster.hidden = false;
    noPoster.hidden = true;
  };
  return {
    root,
    update: (stream) => {
      latest = stream;
      render();
    },
    setVisible: (next) => {
      isVisible = next;
      if (next) render();
      else posters.forget(path);
    },
  };
}
