import { decodeAmf0 } from '../amf/amf0.js';
import { type AmfValue, isAmfObject } from '../amf/value.js';
import { MediaError } from '../errors.js';
import { writeId3 } from '../id3/tag.js';
import type { Metadata, TimedMetadata } from '../sample.js';
import { parseSpliceInfo } from '../scte35/splice-info.js';
import { type Micros, microsFromSeconds } from '../time.js';

/** Messages that are passed on to viewers. Others are for servers, or come with each frame. */
const PASSED_ON: ReadonlySet<string> = new Set(['onTextData', 'onCuePoint', 'onAdCue', 'onMetaData']);
/** More than this is no caption and no score. */
const MAX_TEXT_BYTES = 16 * 1024;
/** A cue is announced some seconds ahead; a time that is further away is of another clock. */
const MAX_AHEAD = microsFromSeconds(60);
/** What `onMetaData` says where it describes tracks. */
const DESCRIBES = /^(?:width|height|framerate|duration|filesize|encoder|stereo|(?:video|audio).*)$/i;
/** A section has 4096 bytes at most; base64 makes a third more of them. */
const MAX_CUE_TEXT = 6000;

/** Whether metadata tells of tracks, as at the beginning of a stream. */
export function describesTracks(metadata: Metadata): boolean {
  return Object.keys(metadata).some((key) => DESCRIBES.test(key));
}

/**
 * What a script data tag, or an RTMP data message, says of its time: an SCTE 35 section in base64, as `onAdCue` and
 * `onCuePoint` bring it, or else whatever it is, as an ID3 tag with one `TXXX` frame: its name, and its value as JSON.
 *
 * @param at the message's time
 * @returns undefined for a message that isn't for viewers, and for one that can't be read: the stream goes on without it
 */
export function readTimedData(body: Buffer, at: Micros): TimedMetadata | undefined {
  try {
    const first = decodeAmf0(body, 1)[0] === '@setDataFrame' ? 1 : 0;
    const name = decodeAmf0(body, first + 1)[first];
    if (typeof name !== 'string' || !PASSED_ON.has(name)) return undefined;
    const value = decodeAmf0(body, first + 2)[first + 1];
    if (value === undefined || (name === 'onMetaData' && !isAmfObject(value))) return undefined;
    return cueIn(value, at) ?? textOf(name, value, at);
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}

function cueIn(value: AmfValue, at: Micros): TimedMetadata | undefined {
  if (!isAmfObject(value)) return undefined;
  const { parameters } = value;
  const texts = [...Object.values(value), ...(isAmfObject(parameters) ? Object.values(parameters) : [])];
  for (const text of texts) {
    const data = typeof text === 'string' ? sectionIn(text) : undefined;
    if (data !== undefined) return { type: 'timed-metadata', kind: 'scte35', at: dueAt(value.time, at), data };
  }
  return undefined;
}

/** The section that a text is the base64 of; its checksum leaves no doubt. */
function sectionIn(text: string): Buffer | undefined {
  if (!text.startsWith('/') || text.length > MAX_CUE_TEXT) return undefined;
  const section = Buffer.from(text, 'base64');
  try {
    parseSpliceInfo(section);
    return section;
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}

/** The presentation time that a cue names, where it can be one of this stream. */
function dueAt(time: AmfValue, at: Micros): Micros {
  if (typeof time !== 'number') return at;
  const due = microsFromSeconds(time);
  return Math.abs(due - at) <= MAX_AHEAD ? due : at;
}

function textOf(name: string, value: AmfValue, at: Micros): TimedMetadata | undefined {
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) return undefined;
  return { type: 'timed-metadata', kind: 'id3', at, data: writeId3([{ id: 'TXXX', description: name, value: text }]) };
}
