import { MediaError } from '../../errors.js';
import type { BitReader } from '../bit-reader.js';

/** A picture that a short-term reference picture set names: its distance in order, and whether this picture uses it. */
interface ReferencePicture {
  readonly delta: number;
  readonly used: boolean;
}

/** st_ref_pic_set(), H.265 §7.3.7: earlier pictures from the nearest on, then later ones. */
export interface ShortTermSet {
  readonly earlier: readonly ReferencePicture[];
  readonly later: readonly ReferencePicture[];
}

/** sps_max_dec_pic_buffering_minus1 goes up to 15, H.265 §A.4.2. */
const MAX_PICTURES = 16;

/**
 * The set at `index`, which may be told by its difference from one of those before it. H.265 §7.3.7, §7.4.8.
 *
 * @param sets those of the SPS, as far as they have been read
 * @param inSlice a slice header's own set names the one that it differs from
 * @throws {MediaError} `malformed` or `truncated`
 */
export function readShortTermSet(
  reader: BitReader,
  index: number,
  sets: readonly ShortTermSet[],
  inSlice = false,
): ShortTermSet {
  if (index === 0 || !reader.flag()) return readExplicitSet(reader);
  const back = inSlice ? reader.ue() + 1 : 1;
  const base = sets[index - back];
  if (base === undefined) throw new MediaError('malformed', `a reference picture set that is ${back} before the first`);
  return readPredictedSet(reader, base);
}

function readPredictedSet(reader: BitReader, base: ShortTermSet): ShortTermSet {
  const isNegative = reader.flag();
  const step = (reader.ue() + 1) * (isNegative ? -1 : 1);
  const known = [...base.earlier, ...base.later].map(({ delta }) => delta);
  const pictures: ReferencePicture[] = [];
  // The last one is the picture whose set it is, at distance 0.
  for (const delta of [...known, 0]) {
    const used = reader.flag();
    const isKept = used || reader.flag(); // use_delta_flag
    if (isKept) pictures.push({ delta: delta + step, used });
  }
  bounded(pictures.length, 'pictures of a reference set');
  return {
    earlier: pictures.filter(({ delta }) => delta < 0).sort((a, b) => b.delta - a.delta),
    later: pictures.filter(({ delta }) => delta > 0).sort((a, b) => a.delta - b.delta),
  };
}

function readExplicitSet(reader: BitReader): ShortTermSet {
  const earlier = bounded(reader.ue(), 'earlier pictures of a reference set');
  const later = bounded(reader.ue(), 'later pictures of a reference set');
  bounded(earlier + later, 'pictures of a reference set');
  return { earlier: readPictures(reader, earlier, -1), later: readPictures(reader, later, 1) };
}

function readPictures(reader: BitReader, count: number, direction: 1 | -1): ReferencePicture[] {
  let delta = 0;
  return Array.from({ length: count }, () => {
    delta += direction * (reader.ue() + 1);
    return { delta, used: reader.flag() };
  });
}

function bounded(value: number, of: string): number {
  if (value > MAX_PICTURES) throw new MediaError('malformed', `${value} ${of}, ${MAX_PICTURES} are allowed`);
  return value;
}
