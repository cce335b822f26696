import { setText } from '../dom.js';
import type { Engine, LatencyBasis } from '../engines/engine.js';
import { formatBehind, formatSeconds } from '../format.js';
import type { Message } from '../messages.js';
import type { PlayerState } from '../playback-state.js';
import type { Texts } from '../texts/texts.js';
import type { PlayerView } from './view.js';

/** In these there is nothing to play or pause. */
const IDLE_STATES: ReadonlySet<PlayerState> = new Set(['offline', 'unsupported', 'refused', 'unreachable']);

/** Further behind than this and it isn't called live, in seconds. */
const LIVE_WITHIN: Readonly<Record<LatencyBasis, number>> = { clock: 12, 'buffered-edge': 5, network: 5 };

/** Shows what the player does. */
export function showState(view: PlayerView, state: PlayerState, message: Message | undefined): void {
  const { stage, bigPlay, message: text } = view;
  if (stage.dataset.state !== state) stage.dataset.state = state;
  setText(text.headline, message?.headline ?? '');
  setText(text.detail, message?.detail ?? '');
  bigPlay.hidden = state !== 'paused';
  view.play.disabled = IDLE_STATES.has(state);
  view.pictureInPicture.disabled = IDLE_STATES.has(state);
}

/** What the button of the live edge shows. */
interface Edge {
  readonly state: PlayerState;
  readonly engine: Engine | undefined;
  readonly shifted: boolean;
}

/** Shows whether the picture is the live one, and how far behind it is. */
export function showEdge({ edge, behind }: PlayerView, { state, engine, shifted }: Edge, texts: Texts): void {
  const latency = engine?.latency();
  const basis = engine?.latencyBasis ?? 'clock';
  // By WebRTC there is nothing but the present.
  const isNear = latency === undefined ? basis === 'network' : latency < LIVE_WITHIN[basis];
  const atEdge = state === 'playing' && !shifted && isNear;
  edge.classList.toggle('on', atEdge);
  const [name] = texts.latency[basis];
  const title = atEdge ? texts.liveWith(name, formatSeconds(latency, texts.locale)) : `${texts.toLiveEdge} (l)`;
  if (edge.title !== title) edge.title = title;
  edge.disabled = engine === undefined;
  setText(behind, latency === undefined ? '' : formatBehind(latency, texts.locale));
}
