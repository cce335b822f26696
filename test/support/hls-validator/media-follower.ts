import { checkMediaPlaylist } from './check-media-playlist.js';
import type { Member } from './check-members.js';
import { ask, now, outcome, pause } from './http.js';
import { type Findings, type LoadedPlaylist, loadPlaylist } from './load-playlist.js';
import type { MediaPlaylist } from './media-playlist.js';
import { MediaResources } from './media-resources.js';
import { type Load, lastNumber, PlaylistWatcher } from './playlist-watcher.js';
import { reporter } from './rules.js';

/** How long to follow a playlist: until one of these is reached, or it ends. */
export interface FollowOptions {
  readonly seconds: number;
  /** Segments, those of the first load included. */
  readonly segments: number;
  readonly jitterSeconds: number | undefined;
  /** Whether to look into the media that is fetched. */
  readonly media: boolean;
  readonly signal: AbortSignal;
  /** Of the multivariant playlist that lists it. */
  readonly parent:
    | { readonly independentSegments: boolean; readonly variables: ReadonlyMap<string, string> }
    | undefined;
  readonly findings: Findings;
}

/** Within a target duration that often, without blocking reloads. */
const POLLS = 4;
const LEAST_POLL = 0.1;
/** An answer that takes longer doesn't come, in target durations, and seconds on top. */
const PATIENCE = { targets: 4, seconds: 5 };
/** Much further ahead than the two segments that a server may wait for. rfc8216bis §6.2.5.2 */
const FAR_AHEAD = 100;
const IMMEDIATELY = 2;

/** Follows one media playlist as a player does, and checks all that comes. */
export class MediaFollower {
  readonly #url: string;
  readonly #options: FollowOptions;
  readonly #watcher: PlaylistWatcher;
  readonly #resources: MediaResources;
  #current: MediaPlaylist | undefined;

  constructor(url: string, options: FollowOptions) {
    this.#url = url;
    this.#options = options;
    this.#watcher = new PlaylistWatcher(url, options.jitterSeconds);
    const independent = options.parent?.independentSegments ?? false;
    this.#resources = new MediaResources(url, { independent, media: options.media, signal: options.signal });
  }

  /** The playlist as it was last, and its media; undefined where it never came. */
  get member(): Member | undefined {
    if (this.#current === undefined) return undefined;
    const measured = this.#resources.measured(this.#current.targetDuration ?? 1);
    return measured === undefined ? { playlist: this.#current } : { playlist: this.#current, measured };
  }

  /** @param first what has been loaded from its URL already */
  async run(first?: LoadedPlaylist): Promise<void> {
    const deadline = now() + this.#options.seconds;
    const loaded = first ?? (await this.#load(this.#url));
    let current = loaded === undefined ? undefined : this.#take(loaded);
    const wrongRequests = current === undefined ? undefined : this.#askWrongly(current);
    while (current !== undefined && !this.#isDone(current, deadline)) {
      const next = await this.#next(current);
      if (next !== undefined && lastNumber(next) > lastNumber(current)) await this.#askDelta(next);
      current = next;
    }
    await Promise.all([wrongRequests, this.#resources.finish()]);
    this.#options.findings.add([...this.#watcher.findings, ...this.#resources.findings]);
  }

  #isDone(playlist: MediaPlaylist, deadline: number): boolean {
    const { signal, segments } = this.#options;
    return playlist.ended || signal.aborted || now() >= deadline || this.#resources.taken >= segments;
  }

  async #next(current: MediaPlaylist): Promise<MediaPlaylist | undefined> {
    const { targetDuration = 1, serverControl, partTarget, open } = current;
    if (serverControl?.['CAN-BLOCK-RELOAD'] === undefined) {
      await pause(Math.max(LEAST_POLL, targetDuration / POLLS), this.#options.signal);
      const polled = await this.#load(this.#url);
      return polled === undefined ? undefined : this.#take(polled);
    }
    const msn = open.number;
    const asked = partTarget === undefined ? { msn } : { msn, part: open.parts.length };
    const directives = { _HLS_msn: msn, ...(partTarget === undefined ? {} : { _HLS_part: open.parts.length }) };
    const loaded = await this.#load(withDirectives(this.#url, directives));
    return loaded === undefined ? undefined : this.#take(loaded, asked);
  }

  async #load(url: string): Promise<LoadedPlaylist | undefined> {
    const { signal, parent, findings } = this.#options;
    const patience = PATIENCE.targets * (this.#current?.targetDuration ?? 1) + PATIENCE.seconds;
    const either = AbortSignal.any([signal, AbortSignal.timeout(patience * 1000)]);
    const origin = parent === undefined ? {} : { variables: parent.variables };
    const loaded = await loadPlaylist(url, { name: this.#url, signal: either, findings, ...origin });
    if (loaded === undefined && either.aborted && !signal.aborted) {
      const { findings: found, report } = reporter(this.#url);
      report('playlist-unavailable', `${url} was not answered within ${patience} s`);
      findings.add(found);
    }
    return loaded;
  }

  /** @returns undefined where it is no media playlist, which is reported */
  #take({ playlist, answer }: LoadedPlaylist, asked?: Load['asked']): MediaPlaylist | undefined {
    const { requestedAt, receivedAt, url } = answer;
    const times = { requestedAt, receivedAt };
    const removed = this.#watcher.add(asked === undefined ? { playlist, ...times } : { playlist, ...times, asked });
    if (playlist.kind !== 'media') return undefined;
    this.#current = playlist;
    this.#options.findings.add(checkMediaPlaylist({ ...playlist, url: this.#url }));
    this.#resources.take(playlist, url);
    this.#resources.expect(removed, url);
    return playlist;
  }

  async #askDelta(before: MediaPlaylist): Promise<void> {
    if (before.serverControl?.['CAN-SKIP-UNTIL'] === undefined || before.ended) return;
    const delta = await this.#load(withDirectives(this.#url, { _HLS_skip: 'YES' }));
    const whole = await this.#load(this.#url);
    if (delta?.playlist.kind !== 'media' || whole === undefined) return;
    this.#options.findings.add(checkMediaPlaylist({ ...delta.playlist, url: this.#url }));
    const after = this.#take(whole);
    if (after !== undefined) this.#watcher.delta(before, delta.playlist, after);
  }

  /** Requests that a server with blocking reloads has to turn away. rfc8216bis §6.2.5.2 */
  async #askWrongly(playlist: MediaPlaylist): Promise<void> {
    if (playlist.serverControl?.['CAN-BLOCK-RELOAD'] === undefined || playlist.ended) return;
    const { signal, findings } = this.#options;
    const { findings: found, report } = reporter(this.#url);
    const soon = () => AbortSignal.any([signal, AbortSignal.timeout(IMMEDIATELY * 1000)]);
    const turnedAway = ({ status }: { status: number }) => status >= 400 && status < 500;
    const [part, far] = await Promise.all([
      ask(withDirectives(this.#url, { _HLS_part: 0 }), soon()),
      ask(withDirectives(this.#url, { _HLS_msn: lastNumber(playlist) + FAR_AHEAD }), soon()),
    ]);
    if (signal.aborted) return;
    if (!turnedAway(part)) report('part-without-msn', `_HLS_part without _HLS_msn gave ${outcome(part)}`);
    if (!turnedAway(far)) report('msn-too-far', `_HLS_msn ${FAR_AHEAD} segments ahead gave ${outcome(far)}`);
    findings.add(found);
  }
}

function withDirectives(url: string, directives: Readonly<Record<string, string | number>>): string {
  const directed = new URL(url);
  for (const [name, value] of Object.entries(directives)) directed.searchParams.set(name, String(value));
  return directed.href;
}
