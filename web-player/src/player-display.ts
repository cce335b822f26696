import { setText } from './dom.js';
import type { Engine, LatencyBasis, Quality } from './engines/engine.js';
import { describeTrack, formatBehind, formatCount, formatSeconds } from './format.js';
import { bufferedAhead } from './live-edge.js';
import type { Message } from './messages.js';
import type { PlayerState } from './playback-state.js';
import type { PlayerView } from './player-view.js';
import type { StreamStatus } from './status-client.js';

const STATE_NAMES: Readonly<Record<PlayerState, string>> = {
  connecting: 'Connecting',
  offline: 'Not live',
  waiting: 'Encoder gone',
  playing: 'Live',
  buffering: 'Buffering',
  paused: 'Paused',
  unsupported: 'Can’t play',
  refused: 'Refused',
  unreachable: 'No answer',
};

/** In these there is nothing to play or pause. */
const IDLE_STATES: ReadonlySet<PlayerState> = new Set(['offline', 'unsupported', 'refused', 'unreachable']);

/** What the latency is, in a word and in a sentence. */
const LATENCY_NAMES: Readonly<Record<LatencyBasis, readonly [name: string, meaning: string]>> = {
  clock: ['Latency, by clock', 'From the server’s receiving a picture to your seeing it, by the stream’s clock.'],
  'buffered-edge': [
    'To buffered edge',
    'From the picture to the newest data that has come here. The way from the encoder to here comes on top.',
  ],
};

const B_FRAMES =
  'Over WebRTC, B-frames are left out or make the picture stutter. The encoder can be set to make none (x264: bframes=0).';

/** Further behind than this and it isn't called live, in seconds. */
const LIVE_WITHIN: Readonly<Record<LatencyBasis, number>> = { clock: 12, 'buffered-edge': 5 };

/** Shows what the player does. */
export function showState(view: PlayerView, state: PlayerState, message: Message | undefined, shifted: boolean): void {
  const { stage, bigPlay, message: text } = view;
  if (stage.dataset.state !== state) stage.dataset.state = state;
  setText(text.headline, message?.headline ?? '');
  setText(text.detail, message?.detail ?? '');
  bigPlay.hidden = state !== 'paused';
  view.play.disabled = IDLE_STATES.has(state);
  view.pictureInPicture.disabled = IDLE_STATES.has(state);
  const name = state === 'playing' && shifted ? 'Earlier' : STATE_NAMES[state];
  setText(view.state, name);
  view.state.classList.toggle('shifted', shifted);
  view.state.dataset.state = state;
}

/** Shows what there is to choose; a single quality is the source itself. */
export function showQualities({ quality }: PlayerView, qualities: readonly Quality[]): void {
  const names = qualities.map(({ name }) => name);
  const options = names.length === 0 ? ['Source'] : ['Auto', ...names];
  quality.replaceChildren(...options.map((name, index) => new Option(name, String(index - 1))));
  quality.disabled = names.length === 0;
}

/** What figures are shown of. */
interface ShownPlayer {
  readonly state: PlayerState;
  readonly engine: Engine | undefined;
  readonly status: StreamStatus | undefined;
  readonly time: { readonly shifted: boolean };
}

/** Shows the figures. */
export function showFigures(view: PlayerView, { state, engine, status, time }: ShownPlayer): void {
  const { facts, edge, video } = view;
  view.figures.hidden = engine === undefined && !status?.tracks.length;
  const latency = engine?.latency();
  const basis = engine?.latencyBasis ?? 'clock';
  const [name, meaning] = LATENCY_NAMES[basis];
  setText(facts.latency.name, name);
  facts.latency.name.title = meaning;
  setText(facts.latency.value, formatSeconds(latency));
  setText(facts.buffer.value, formatSeconds(engine && bufferedAhead(video.buffered, video.currentTime)));
  for (const [fact, kind] of [
    [facts.picture, 'video'],
    [facts.sound, 'audio'],
  ] as const) {
    const track = status?.tracks.find((candidate) => candidate.kind === kind);
    const hasBFrames = kind === 'video' && status?.bFrames === true;
    setText(fact.value, track === undefined ? '–' : `${describeTrack(track)}${hasBFrames ? ', B-frames' : ''}`);
    fact.value.title = hasBFrames ? B_FRAMES : '';
  }
  const atEdge = state === 'playing' && !time.shifted && latency !== undefined && latency < LIVE_WITHIN[basis];
  edge.classList.toggle('on', atEdge);
  edge.title = atEdge ? `Live. ${name}: ${formatSeconds(latency)}` : 'To the live edge (l)';
  edge.disabled = engine === undefined;
  setText(view.behind, latency === undefined ? '' : formatBehind(latency));
  setText(
    view.viewers,
    status === undefined || status.state === 'offline' ? '' : formatCount(status.viewers, 'viewer'),
  );
}
