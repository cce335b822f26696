import type { MediaPlaylist } from './media-playlist.js';
import type { MultivariantPlaylist, Variant } from './multivariant-playlist.js';
import type { Report } from './rules.js';

/** What the media of a playlist turned out to be. */
export interface Measured {
  /** Of segments, bit/s. rfc8216bis §4.1 */
  readonly peakBitrate: number;
  readonly averageBitrate: number;
  /** Each format in it, as CODECS has to name it. RFC 6381 */
  readonly codecs: readonly { readonly name: string; readonly pattern: RegExp }[];
  readonly resolution: { readonly width: number; readonly height: number } | undefined;
  /** Pictures a second. */
  readonly frameRate: number | undefined;
  /** There is a place for captions in its pictures, be it empty. */
  readonly hasCaptions: boolean;
}

/** A media playlist that a multivariant playlist lists. */
export interface Member {
  readonly playlist: MediaPlaylist;
  readonly measured?: Measured;
}

/** FRAME-RATE has three decimals, and measured rates come from times of a limited precision. */
const FRAME_RATE_TOLERANCE = 0.1;
/** What AVERAGE-BANDWIDTH may be exceeded by over the short time that a live stream is watched. */
const AVERAGE_TOLERANCE = 1.1;

type Members = ReadonlyMap<string, Member>;

/** Compares a multivariant playlist with the media playlists that it lists, and those with each other. §6.2.4 */
export function checkMembers(playlist: MultivariantPlaylist, members: Members, report: Report): void {
  for (const variant of playlist.variants) checkMeasured(variant, playlist, members, report);
  for (const { URI } of playlist.iFrameVariants) {
    if (members.get(URI)?.playlist.iFramesOnly === false) {
      report('i-frames-only-missing', `${URI} has no EXT-X-I-FRAMES-ONLY`);
    }
  }
  const playlists = [...members].map(([uri, member]) => ({ uri, playlist: member.playlist }));
  for (const { uri, playlist: media } of playlists) {
    if (playlist.independentSegments && media.independentSegments) {
      report(
        'independent-segments-twice',
        `${uri} has EXT-X-INDEPENDENT-SEGMENTS, which its multivariant playlist has`,
      );
    }
  }
  checkAlike(playlist, playlists, report);
  checkReports(playlists, report);
}

type Named = readonly { readonly uri: string; readonly playlist: MediaPlaylist }[];

function checkAlike(multivariant: MultivariantPlaylist, all: Named, report: Report): void {
  const subtitles = multivariant.media.filter(({ TYPE }) => TYPE === 'SUBTITLES').map(({ URI }) => URI);
  const mayDiffer = ({ uri, playlist }: Named[number]) =>
    playlist.type === 'VOD' && (playlist.iFramesOnly || subtitles.includes(uri));
  const distinct = (some: Named, say: (playlist: MediaPlaylist) => string | undefined) => {
    const said = some.map(({ uri, playlist }) => [uri, say(playlist)] as const);
    const differs = new Set(said.map(([, what]) => what)).size > 1;
    return differs ? said.map(([uri, what]) => `${what ?? 'none'} in ${uri}`).join(', ') : undefined;
  };
  const compare = (
    rule: 'target-durations-differ' | 'playlist-types-differ' | 'server-controls-differ' | 'date-times-partial',
    some: Named,
    say: (playlist: MediaPlaylist) => string | undefined,
  ) => {
    const differences = distinct(some, say);
    if (differences !== undefined) report(rule, differences);
  };
  const alike = all.filter((named) => !mayDiffer(named));
  compare('target-durations-differ', alike, ({ targetDuration }) => targetDuration?.toString());
  compare('playlist-types-differ', all, ({ type }) => type);
  compare('server-controls-differ', all, ({ serverControl }) =>
    serverControl === undefined
      ? undefined
      : [...serverControl.raw]
          .map((pair) => pair.join('='))
          .toSorted()
          .join(),
  );
  compare('date-times-partial', all, ({ items }) =>
    items.some(({ name }) => name === 'EXT-X-PROGRAM-DATE-TIME') ? 'dates' : undefined,
  );
}

/** Each low-latency playlist reports on each other one. rfc8216bis §B.1 */
function checkReports(all: Named, report: Report): void {
  const absolute = (uri: string, base: string) => (base === '' ? uri : new URL(uri, base).pathname);
  const parted = all.filter(({ playlist }) => playlist.partTarget !== undefined && !playlist.ended);
  for (const { uri, playlist } of parted) {
    const reported = playlist.reports.map(({ URI }) => absolute(URI, playlist.url));
    const missing = parted.filter((other) => {
      const path = other.playlist.url === '' ? other.uri : new URL(other.playlist.url).pathname;
      return other.uri !== uri && !reported.includes(path);
    });
    for (const other of missing) report('rendition-reports-partial', `${uri} has no report of ${other.uri}`);
  }
}

function checkMeasured({ uri, inf }: Variant, { media }: MultivariantPlaylist, members: Members, report: Report): void {
  const main = members.get(uri)?.measured;
  if (main === undefined) return;
  // Of each group one rendition plays; the costliest counts, and the formats of all.
  const groups = (['AUDIO', 'VIDEO', 'SUBTITLES'] as const).map((type) =>
    media
      .filter((rendition) => rendition.TYPE === type && rendition['GROUP-ID'] === inf[type])
      .flatMap(({ URI }) => (URI === undefined || URI === uri ? [] : (members.get(URI)?.measured ?? []))),
  );
  const most = (of: (measured: Measured) => number) =>
    groups.reduce((total, group) => total + Math.max(0, ...group.map(of)), of(main));
  const peak = most(({ peakBitrate }) => peakBitrate);
  if (peak > inf.BANDWIDTH) {
    report('bandwidth-exceeded', `${uri} has BANDWIDTH=${inf.BANDWIDTH}, and takes up to ${Math.ceil(peak)} bit/s`);
  }
  const average = most(({ averageBitrate }) => averageBitrate);
  const said = inf['AVERAGE-BANDWIDTH'];
  if (said !== undefined && average > said * AVERAGE_TOLERANCE) {
    report('average-bandwidth-exceeded', `${uri} has AVERAGE-BANDWIDTH=${said}, and takes ${Math.ceil(average)} bit/s`);
  }
  const listed = inf.CODECS?.split(',');
  for (const { name, pattern } of [main, ...groups.flat()].flatMap(({ codecs }) => codecs)) {
    if (listed !== undefined && !listed.some((codec) => pattern.test(codec))) {
      report('codecs-incomplete', `${uri} has CODECS="${inf.CODECS}", and media of ${name}`);
    }
  }
  const { width, height } = inf.RESOLUTION ?? {};
  const { resolution, frameRate, hasCaptions } = main;
  if (width !== undefined && resolution !== undefined && (width !== resolution.width || height !== resolution.height)) {
    const seen = `${resolution.width}x${resolution.height}`;
    report('resolution-mismatch', `${uri} has RESOLUTION=${width}x${height}, and pictures of ${seen}`);
  }
  const captions = inf.raw.get('CLOSED-CAPTIONS');
  if (captions === 'NONE' && hasCaptions) {
    report('captions-untold', `${uri} has CLOSED-CAPTIONS=NONE, and captions in its pictures`);
  } else if (captions !== undefined && captions !== 'NONE' && resolution !== undefined && !hasCaptions) {
    report('captions-missing', `${uri} has CLOSED-CAPTIONS=${captions}, and none in its pictures`);
  }
  const rate = inf['FRAME-RATE'];
  if (rate !== undefined && frameRate !== undefined && frameRate > rate + FRAME_RATE_TOLERANCE) {
    report('frame-rate-mismatch', `${uri} has FRAME-RATE=${rate}, and ${frameRate.toFixed(3)} pictures a second`);
  }
}
