import { element, setText } from './dom.js';
import type { PlayerStatistics, SluicePlayer } from './element/public.js';
import { describeTrack, formatSeconds } from './format.js';
import { icon } from './icons.js';
import type { Texts } from './texts/texts.js';

/** What is around the player on its page. */
export interface PlayerPage {
  readonly root: HTMLElement;
  readonly state: HTMLElement;
  readonly viewers: HTMLElement;
  readonly recordings: HTMLAnchorElement;
  readonly figures: HTMLElement;
  readonly facts: Readonly<Record<'picture' | 'sound' | 'latency' | 'buffer', Fact>>;
}

/** A figure with its name. */
interface Fact {
  readonly name: HTMLElement;
  readonly value: HTMLElement;
}

/** Builds the page for a stream. */
export function createPlayerPage(path: string, player: SluicePlayer, texts: Texts): PlayerPage {
  const back = element('a', { href: '/', class: 'back', title: texts.allStreams, 'aria-label': texts.allStreams });
  back.append(icon('back'));
  const state = element('span', { class: 'state' });
  const viewers = element('span', { class: 'viewers' });
  const facts = {
    picture: fact(texts.figures.picture),
    sound: fact(texts.figures.sound),
    latency: fact(texts.latency.clock[0]),
    buffer: fact(texts.figures.buffer),
  };
  const figures = element(
    'dl',
    { class: 'facts', hidden: '' },
    ...Object.values(facts).map(({ name, value }) => element('div', {}, name, value)),
  );
  const recordings = element('a', { href: `/player/${path}/recordings`, class: 'to-recordings' }, texts.recordings);
  const title = element('div', { class: 'title' }, element('h1', {}, path), state, viewers, recordings);
  const details = element('footer', { class: 'details' }, back, title, figures);
  const root = element('div', { class: 'player' }, player, details);
  return { root, state, viewers, recordings, figures, facts };
}

function fact(name: string): Fact {
  return { name: element('dt', {}, name), value: element('dd', {}, '–') };
}

/** Shows how the player stands. */
export function showFigures(page: PlayerPage, statistics: PlayerStatistics, texts: Texts): void {
  const { facts, state, viewers } = page;
  const { stream, shifted, latencyBasis = 'clock' } = statistics;
  const { locale } = texts;
  state.classList.toggle('shifted', shifted);
  state.dataset.state = statistics.state;
  page.figures.hidden = !stream?.tracks.length;
  const [name, meaning] = texts.latency[latencyBasis];
  setText(facts.latency.name, name);
  facts.latency.name.title = meaning;
  setText(facts.latency.value, formatSeconds(statistics.latencySeconds, locale));
  setText(facts.buffer.value, formatSeconds(statistics.bufferedSeconds, locale));
  for (const [cell, kind] of [
    [facts.picture, 'video'],
    [facts.sound, 'audio'],
  ] as const) {
    const track = stream?.tracks.find((candidate) => candidate.kind === kind);
    const hasBFrames = kind === 'video' && stream?.bFrames === true;
    const described = track === undefined ? '–' : describeTrack(track, texts);
    setText(cell.value, `${described}${hasBFrames ? ', B-frames' : ''}`);
    cell.value.title = hasBFrames ? texts.bFrames : '';
  }
  const isThere = stream !== undefined && stream.state !== 'offline';
  setText(viewers, isThere ? texts.viewers(stream.viewers) : '');
}
