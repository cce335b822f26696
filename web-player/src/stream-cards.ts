import { element, setText } from './dom.js';
import { describeTrack, formatCount, formatDuration } from './format.js';
import type { ServerClock } from './server-clock.js';
import type { StreamStatus } from './status-client.js';

interface Card {
  readonly root: HTMLElement;
  update(stream: StreamStatus): void;
  /** Shows how long it has been live. */
  tick(): void;
}

/** A card for each stream, each changed in place so that focus and hover stay. */
export class StreamCards {
  readonly root = element('ul', { class: 'cards' });
  readonly #clock: ServerClock;
  readonly #cards = new Map<string, Card>();

  constructor(clock: ServerClock) {
    this.#clock = clock;
  }

  show(streams: readonly StreamStatus[]): void {
    const sorted = [...streams].sort((a, b) => a.path.localeCompare(b.path));
    const paths = new Set(sorted.map(({ path }) => path));
    for (const [path, card] of this.#cards) {
      if (paths.has(path)) continue;
      card.root.remove();
      this.#cards.delete(path);
    }
    sorted.forEach((stream, index) => {
      const card = this.#cards.get(stream.path) ?? createCard(stream.path, this.#clock);
      this.#cards.set(stream.path, card);
      card.update(stream);
      const there = this.root.children[index];
      if (there !== card.root) this.root.insertBefore(card.root, there ?? null);
    });
  }

  tick(): void {
    for (const card of this.#cards.values()) card.tick();
  }
}

function createCard(path: string, clock: ServerClock): Card {
  const slash = path.lastIndexOf('/') + 1;
  const badge = element('span', { class: 'badge' });
  const picture = element('p', { class: 'tracks' });
  const sound = element('p', { class: 'tracks' });
  const viewers = element('span');
  const duration = element('span');
  const name = element('h2', {}, element('span', { class: 'app' }, path.slice(0, slash)), path.slice(slash));
  const link = element(
    'a',
    { href: `/player/${path}`, class: 'card' },
    element('div', { class: 'row' }, name, badge),
    picture,
    sound,
    element('p', { class: 'row meta' }, viewers, duration),
  );
  let since = Number.NaN;
  const tick = () => setText(duration, Number.isNaN(since) ? '' : formatDuration((clock.now() - since) / 1000));
  const update = (stream: StreamStatus) => {
    const waiting = stream.state === 'waiting';
    badge.classList.toggle('waiting', waiting);
    setText(badge, waiting ? 'Encoder gone' : 'Live');
    const described = (kind: 'video' | 'audio') => {
      const track = stream.tracks.find((candidate) => candidate.kind === kind);
      return track === undefined ? undefined : describeTrack(track);
    };
    const nothingYet = stream.tracks.length === 0;
    setText(picture, nothingYet ? 'Waiting for the first picture' : (described('video') ?? 'No picture'));
    setText(sound, nothingYet ? '' : (described('audio') ?? 'No sound'));
    setText(viewers, formatCount(stream.viewers, 'viewer'));
    since = Date.parse(stream.since ?? '');
    tick();
  };
  return { root: element('li', {}, link), update, tick };
}
