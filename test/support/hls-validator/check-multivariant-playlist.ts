import { checkMembers, type Member } from './check-members.js';
import { checkKey } from './check-segments.js';
import { checkMultivariantVersion } from './check-version.js';
import type { MultivariantPlaylist } from './multivariant-playlist.js';
import { type Finding, type Report, reporter } from './rules.js';
import type { TagValue } from './tags.js';

type Rendition = TagValue<'EXT-X-MEDIA'>;
type VariantInf = TagValue<'EXT-X-STREAM-INF'>;

const GROUP_TYPES = ['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS'] as const;
const STABLE_ID = /^[A-Za-z0-9+/=._-]+$/;
const CAPTIONS_ID = /^(CC[1-4]|SERVICE([1-9]|[1-5]\d|6[0-3]))$/;
const INSTREAM_ID = /^[A-Za-z0-9.]+$/;
const AUDIO_CODEC = /^(mp4a|ac-3|ec-3|ac-4|opus|flac|alac)/i;
/** What corresponding members of groups may differ in. rfc8216bis §4.4.6.1.1 */
const OF_ONE_ENCODING = [
  'URI',
  'CHANNELS',
  'BIT-DEPTH',
  'STABLE-RENDITION-ID',
  'INSTREAM-ID',
  'SAMPLE-RATE',
  'GROUP-ID',
];

/**
 * Checks a multivariant playlist. rfc8216bis §4.4.6, §6.2.4
 *
 * @param members the media playlists that it lists, by their URIs as it writes them, as far as they are known
 */
export function checkMultivariantPlaylist(
  playlist: MultivariantPlaylist,
  members: ReadonlyMap<string, Member> = new Map(),
): readonly Finding[] {
  const { findings, report } = reporter(playlist.url);
  checkMultivariantVersion(playlist, report);
  checkVariants(playlist, report);
  for (const rendition of playlist.media) checkRendition(rendition, report);
  checkGroups(playlist, report);
  checkSession(playlist, report);
  checkMembers(playlist, members, report);
  return findings;
}

function checkVariants({ variants, media, iFrameVariants, steering }: MultivariantPlaylist, report: Report): void {
  for (const { uri, inf } of variants) {
    if (inf.CODECS === undefined) report('codecs-missing', `${uri} has no CODECS`);
    if (hasVideo(inf)) {
      if (inf.RESOLUTION === undefined) report('resolution-missing', `${uri} has no RESOLUTION`);
      if (inf['FRAME-RATE'] === undefined) report('frame-rate-missing', `${uri} has no FRAME-RATE`);
    }
    const rate = inf.raw.get('FRAME-RATE');
    if (rate !== undefined && !/^\d+(\.\d{1,3})?$/.test(rate)) {
      report('frame-rate-decimals', `${uri} has FRAME-RATE=${rate}, of more than three decimals`);
    }
    checkReferences(uri, inf, media, report);
  }
  const withScore = variants.filter(({ inf }) => inf.SCORE !== undefined).length;
  if (withScore > 0 && withScore < variants.length) {
    report('score-missing', `${withScore} of ${variants.length} variants have a SCORE`);
  }
  const withoutCaptions = variants.filter(({ inf }) => inf.raw.get('CLOSED-CAPTIONS') === 'NONE').length;
  if (withoutCaptions > 0 && withoutCaptions < variants.length) {
    report('closed-captions-none', `${withoutCaptions} of ${variants.length} variants have CLOSED-CAPTIONS=NONE`);
  }
  const ids = [
    ...[...variants.map(({ inf }) => inf), ...iFrameVariants].map((inf) => inf['STABLE-VARIANT-ID']),
    ...media.map((rendition) => rendition['STABLE-RENDITION-ID']),
  ];
  for (const id of ids) {
    if (id !== undefined && !STABLE_ID.test(id)) report('stable-id', `"${id}" has characters that no stable id has`);
  }
  const pathway = steering?.['PATHWAY-ID'];
  if (pathway !== undefined && !variants.some(({ inf }) => (inf['PATHWAY-ID'] ?? '.') === pathway)) {
    report('steering-pathway', `no variant is of the pathway "${pathway}"`);
  }
}

function hasVideo({ CODECS, RESOLUTION, VIDEO, 'FRAME-RATE': rate }: VariantInf): boolean {
  if (RESOLUTION !== undefined || VIDEO !== undefined || rate !== undefined) return true;
  return CODECS?.split(',').some((codec) => !AUDIO_CODEC.test(codec) && !/^(stpp|wvtt)/.test(codec)) ?? false;
}

function checkReferences(uri: string, inf: VariantInf, media: readonly Rendition[], report: Report): void {
  for (const type of GROUP_TYPES) {
    const group = inf[type];
    if (group === undefined || inf.raw.get(type) === 'NONE') continue;
    if (!media.some((rendition) => rendition.TYPE === type && rendition['GROUP-ID'] === group)) {
      report('group-unknown', `${uri} has ${type}="${group}", and no EXT-X-MEDIA is of that group`);
    }
  }
}

function checkRendition(rendition: Rendition, report: Report): void {
  const { TYPE, URI, NAME, DEFAULT, AUTOSELECT, CHANNELS } = rendition;
  const id = rendition['INSTREAM-ID'];
  const where = `${TYPE} "${NAME}" of group "${rendition['GROUP-ID']}"`;
  if (TYPE === 'CLOSED-CAPTIONS' && URI !== undefined) report('media-uri', `${where} has a URI`);
  if (TYPE === 'SUBTITLES' && URI === undefined) report('media-uri', `${where} has no URI`);
  if (TYPE === 'CLOSED-CAPTIONS' && (id === undefined || !CAPTIONS_ID.test(id))) {
    report('media-instream-id', `${where} has ${id === undefined ? 'no INSTREAM-ID' : `INSTREAM-ID="${id}"`}`);
  } else if (id !== undefined && !INSTREAM_ID.test(id)) {
    report('media-instream-id', `${where} has INSTREAM-ID="${id}"`);
  }
  const notOfType = (name: string, type: string) => {
    if (TYPE !== type && rendition.raw.has(name)) {
      report('media-attribute-of-other-type', `${where} has ${name}, which is for ${type}`);
    }
  };
  notOfType('FORCED', 'SUBTITLES');
  for (const name of ['CHANNELS', 'BIT-DEPTH', 'SAMPLE-RATE']) notOfType(name, 'AUDIO');
  if (DEFAULT === 'YES' && AUTOSELECT === 'NO') report('media-autoselect', `${where} is DEFAULT=YES and AUTOSELECT=NO`);
  if (TYPE === 'AUDIO' && CHANNELS === undefined) report('media-channels-missing', `${where} has no CHANNELS`);
}

function checkGroups({ media }: MultivariantPlaylist, report: Report): void {
  for (const type of GROUP_TYPES) {
    const ofType = media.filter(({ TYPE }) => TYPE === type);
    const groups = [...new Set(ofType.map((rendition) => rendition['GROUP-ID']))].map((id) => ({
      id,
      members: ofType.filter((rendition) => rendition['GROUP-ID'] === id),
    }));
    for (const { id, members } of groups) {
      const names = members.map(({ NAME }) => NAME);
      const again = names.find((name, index) => names.indexOf(name) !== index);
      if (again !== undefined) report('group-name-twice', `${type} group "${id}" has "${again}" twice`);
      const defaults = members.filter(({ DEFAULT }) => DEFAULT === 'YES').length;
      if (defaults > 1) report('group-two-defaults', `${type} group "${id}" has ${defaults} members of DEFAULT=YES`);
    }
    const [first, ...others] = groups;
    for (const { id, members } of others) {
      if (describe(members) !== describe(first?.members ?? [])) {
        report('groups-differ', `${type} groups "${first?.id}" and "${id}" have other members`);
      }
    }
  }
}

/** What has to be the same in all groups of a type. */
function describe(members: readonly Rendition[]): string {
  const lines = members.map(({ raw }) => {
    const same = [...raw].filter(([name]) => !OF_ONE_ENCODING.includes(name));
    return same
      .map((pair) => pair.join('='))
      .sort()
      .join();
  });
  return lines.sort().join('\n');
}

function checkSession({ sessionData, sessionKeys }: MultivariantPlaylist, report: Report): void {
  const data = new Set<string>();
  for (const { 'DATA-ID': id, VALUE, URI, LANGUAGE = '' } of sessionData) {
    if ((VALUE === undefined) === (URI === undefined)) report('session-data', `"${id}" needs one of VALUE and URI`);
    const key = `${id} ${LANGUAGE}`;
    if (data.has(key)) report('session-data', `"${id}" is there twice${LANGUAGE === '' ? '' : ` for ${LANGUAGE}`}`);
    data.add(key);
  }
  const keys = new Set<string>();
  for (const key of sessionKeys) {
    if (key.METHOD === 'NONE') report('session-key', 'an EXT-X-SESSION-KEY has METHOD=NONE');
    else checkKey(key, 'EXT-X-SESSION-KEY', report);
    const said = [...key.raw].map((pair) => pair.join('=')).join();
    if (keys.has(said)) report('session-key', `EXT-X-SESSION-KEY:${said} is there twice`);
    keys.add(said);
  }
}
