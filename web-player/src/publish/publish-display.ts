import { setText } from '../dom.js';
import { formatBitrate, formatClock } from '../format.js';
import { setButton } from '../icon-button.js';
import type { Message } from '../messages.js';
import { limitationText } from './publish-messages.js';
import type { PublishFigures } from './publish-statistics.js';
import type { PublishView } from './publish-view.js';
import { SILENCE_DB } from './sound-level.js';
import type { WhipState } from './whip-client.js';

/** What the page is doing: nothing, or what its client does. */
export type PublishState = 'idle' | Exclude<WhipState['kind'], 'ended'>;

const STATE_NAMES: Readonly<Record<PublishState, string>> = {
  idle: 'Not live',
  connecting: 'Connecting',
  live: 'Live',
  retrying: 'Connection lost, trying again',
};

/** Louder than this and little is missing to distortion; dB below full scale. */
const LOUD_DB = -6;

/** Shows what the page is doing. */
export function showState(view: PublishView, state: PublishState): void {
  const { root, go } = view;
  root.dataset.state = state;
  setText(view.state, STATE_NAMES[state]);
  setText(go, state === 'idle' ? 'Go live' : 'Stop');
  go.classList.toggle('stop', state !== 'idle');
  view.settings.credential.disabled = state !== 'idle';
  view.duration.hidden = state === 'idle' || state === 'connecting';
  if (state === 'idle') setText(view.limitation, '');
}

/** Shows for how long it has been live. */
export function showDuration(view: PublishView, seconds: number): void {
  setText(view.duration, formatClock(seconds));
}

/** Shows what is told in place of the picture; nothing where there is a picture. */
export function showNotice({ stage, notice }: PublishView, message: Message | undefined, retry?: string): void {
  stage.classList.toggle('empty', message !== undefined);
  setText(notice.headline, message?.headline ?? '');
  setText(notice.detail, message?.detail ?? '');
  notice.retry.hidden = retry === undefined;
  setText(notice.retry, retry ?? '');
}

/** Shows what went wrong with publishing. */
export function showFault({ fault }: PublishView, message: Message | undefined): void {
  setText(fault.headline, message?.headline ?? '');
  setText(fault.detail, message?.detail ?? '');
  fault.root.hidden = message === undefined;
}

/** Shows whether sound and picture are on. */
export function showTracks(
  view: PublishView,
  video: MediaStreamTrack | undefined,
  audio: MediaStreamTrack | undefined,
): void {
  const muted = audio !== undefined && !audio.enabled;
  setButton(
    view.microphone,
    muted ? 'microphone-off' : 'microphone',
    muted ? 'Microphone on (m)' : 'Mute the microphone (m)',
  );
  const dark = video !== undefined && !video.enabled;
  setButton(view.camera, dark ? 'camera-off' : 'camera', dark ? 'Picture on (v)' : 'Picture off (v)');
  for (const [button, track] of [
    [view.microphone, audio],
    [view.camera, video],
  ] as const) {
    button.disabled = track === undefined;
    button.classList.toggle('off', track !== undefined && !track.enabled);
  }
}

/** @param level dB below full scale */
export function showLevel({ meter }: PublishView, level: number): void {
  meter.style.setProperty('--level', (1 - level / SILENCE_DB).toFixed(3));
  meter.classList.toggle('loud', level > LOUD_DB);
}

/** Tells screen readers the level: less often, so that they can keep up. */
export function tellLevel({ meter }: PublishView, level: number): void {
  meter.setAttribute('aria-valuenow', level.toFixed(0));
  meter.setAttribute('aria-valuetext', level <= SILENCE_DB ? 'silence' : `${level.toFixed(0)} dB`);
}

/** Shows the figures of a publication; none while there is none. */
export function showFigures(view: PublishView, figures: PublishFigures | undefined): void {
  view.figures.hidden = figures === undefined;
  if (figures === undefined) return;
  const { facts } = view;
  const { width, height, framesPerSecond, roundTripMs, packetsSent, packetsLost } = figures;
  setText(facts.bitrate, formatBitrate(figures.bitrate));
  setText(facts.picture, width && height ? `${width} × ${height}` : '–');
  setText(facts.rate, framesPerSecond === undefined ? '–' : String(Math.round(framesPerSecond)));
  setText(facts.roundTrip, roundTripMs === undefined ? '–' : `${roundTripMs} ms`);
  const share = packetsSent === 0 ? 0 : (packetsLost / packetsSent) * 100;
  setText(facts.lost, packetsLost === 0 ? 'none' : `${packetsLost} (${share.toFixed(share < 1 ? 2 : 1)} %)`);
  setText(facts.repeated, figures.packetsRetransmitted === 0 ? 'none' : String(figures.packetsRetransmitted));
  setText(view.limitation, limitationText(figures.limitation) ?? '');
}
