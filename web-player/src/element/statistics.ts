import { element, setText } from '../dom.js';
import { describeTrack, formatBitrate, formatSeconds } from '../format.js';
import { bufferedAhead } from '../live-edge.js';
import type { LivePlayer } from '../live-player.js';
import { PROTOCOL_NAMES } from '../protocol.js';
import type { Texts } from '../texts/texts.js';
import type { PlayerStatistics } from './public.js';

/** Takes the figures. */
export function statisticsOf(player: LivePlayer, video: HTMLVideoElement): PlayerStatistics {
  const { engine, time } = player;
  const { bitsPerSecond, roundTripSeconds, packetsLost } = engine?.figures?.() ?? {};
  return {
    state: player.state,
    protocol: player.protocol,
    videoWidth: video.videoWidth,
    videoHeight: video.videoHeight,
    currentTime: video.currentTime,
    latencySeconds: engine?.latency(),
    latencyBasis: engine?.latencyBasis,
    bufferedSeconds: engine && bufferedAhead(video.buffered, video.currentTime),
    shifted: time.shifted,
    seekRange: time.range,
    playingDate: time.dateAt(video.currentTime),
    framesDecoded: player.framesDecoded,
    framesDropped: video.getVideoPlaybackQuality().droppedVideoFrames,
    playbackRate: video.playbackRate,
    ...{ bitsPerSecond, roundTripSeconds, packetsLost },
    stalls: player.record.stalls,
    errors: player.record.errors,
    lastError: player.record.lastError,
    stream: player.status,
  };
}

/** Shows them over the picture. */
export function showStatistics(list: HTMLElement, statistics: PlayerStatistics, texts: Texts): void {
  const rows = rowsOf(statistics, texts);
  if (list.childElementCount !== rows.length * 2) {
    list.replaceChildren(...rows.flatMap(() => [element('dt'), element('dd')]));
  }
  const cells = list.children;
  for (const [index, [name, value]] of rows.entries()) {
    const [term, detail] = [cells[index * 2], cells[index * 2 + 1]];
    if (term !== undefined) setText(term, name);
    if (detail !== undefined) setText(detail, value);
  }
}

/** Rows of what is known. */
function rowsOf(statistics: PlayerStatistics, texts: Texts): [name: string, value: string][] {
  const { figures, locale, states } = texts;
  const { protocol, stream, latencyBasis, roundTripSeconds, packetsLost, bitsPerSecond } = statistics;
  const { playbackRate, lastError } = statistics;
  const whole = (count: number) => count.toLocaleString(locale);
  const track = (kind: 'video' | 'audio') => {
    const found = stream?.tracks.find((candidate) => candidate.kind === kind);
    return found === undefined ? '–' : describeTrack(found, texts);
  };
  const rows: [string, string | undefined][] = [
    [figures.protocol, `${protocol === undefined ? '–' : PROTOCOL_NAMES[protocol]} · ${states[statistics.state]}`],
    [figures.picture, track('video')],
    [figures.sound, track('audio')],
    [figures.bitrate, bitsPerSecond === undefined ? undefined : formatBitrate(bitsPerSecond, locale)],
    [texts.latency[latencyBasis ?? 'clock'][0], formatSeconds(statistics.latencySeconds, locale)],
    [figures.buffer, formatSeconds(statistics.bufferedSeconds, locale)],
    [
      figures.roundTrip,
      roundTripSeconds === undefined ? undefined : `${whole(Math.round(roundTripSeconds * 1000))} ms`,
    ],
    [figures.lost, packetsLost === undefined ? undefined : whole(packetsLost)],
    [figures.dropped, texts.droppedOf(whole(statistics.framesDropped), whole(statistics.framesDecoded))],
    [figures.speed, playbackRate === 1 ? undefined : `${playbackRate.toLocaleString(locale)}×`],
    [figures.stalls, whole(statistics.stalls)],
    [figures.failures, `${whole(statistics.errors)}${lastError === '' ? '' : ` (${lastError})`}`],
  ];
  return rows.flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]]));
}
