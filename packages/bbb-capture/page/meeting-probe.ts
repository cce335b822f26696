/**
 * Looks at a client of BigBlueButton. It runs inside the meeting's page as this one function, so that it uses nothing
 * from outside; what it gives is read by `page-facts.ts`.
 */
export function probe({ selectors, style }: { selectors: Record<string, string[]>; style: string }) {
  const shared = globalThis as unknown as Record<string, unknown> & { sluiceStyle?: string };
  if (shared.sluiceStyle !== style && document.readyState !== 'loading') {
    // Not an element: a policy of the page's could forbid one, and its scripts could remove it.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    shared.sluiceStyle = style;
  }
  const found: Record<string, { index: number; text: string; seen: boolean }> = {};
  for (const [part, candidates] of Object.entries(selectors)) {
    const index = candidates.findIndex((selector) => document.querySelector(selector) !== null);
    const element = document.querySelector(candidates[index] ?? 'no-such-element');
    if (element === null) continue;
    const seen = element.getClientRects().length > 0;
    found[part] = { index, text: (element.textContent ?? '').trim().slice(0, 200), seen };
  }
  const players = [...document.querySelectorAll<HTMLMediaElement>('audio, video')];
  const streamOf = (player: HTMLMediaElement) =>
    player.srcObject instanceof MediaStream ? player.srcObject : undefined;
  const isLive = (track: MediaStreamTrack) => track.readyState === 'live' && !track.muted && track.enabled;
  const sounds = players.flatMap((player) => {
    const track = streamOf(player)?.getAudioTracks().find(isLive);
    if (track === undefined || player.paused || player.muted || player.volume === 0) return [];
    return [{ id: track.id, isNamed: player.id === 'remote-media', at: player.currentTime }];
  });
  const videos = players.flatMap((player) => {
    const track = streamOf(player)?.getVideoTracks().find(isLive);
    if (track === undefined || player.paused || !(player instanceof HTMLVideoElement)) return [];
    return [{ id: track.id, frames: player.getVideoPlaybackQuality().totalVideoFrames }];
  });
  const generation = 'Meteor' in shared ? '2.x' : 'meetingClientSettings' in shared ? '3.0' : '';
  return { generation, found, sounds, videos };
}
