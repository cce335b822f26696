import type { BitReader } from '../bit-reader.js';

/**
 * How many channels a program_config_element() names. ISO 14496-3 §4.4.1.1
 *
 * @param reader at its start, over bytes to whose beginning its padding is aligned
 * @throws {MediaError} `truncated`
 */
export function readProgramConfigChannels(reader: BitReader): number {
  reader.skip(4 + 2 + 4); // element_instance_tag, object_type, sampling_frequency_index
  const speakerGroups = [reader.bits(4), reader.bits(4), reader.bits(4)]; // front, side, back
  const lowFrequency = reader.bits(2);
  const associatedData = reader.bits(3);
  const coupling = reader.bits(4);
  if (reader.flag()) reader.skip(4); // mono mixdown
  if (reader.flag()) reader.skip(4); // stereo mixdown
  if (reader.flag()) reader.skip(3); // matrix mixdown
  let channels = lowFrequency;
  for (const elements of speakerGroups) {
    for (let element = 0; element < elements; element++) {
      channels += reader.flag() ? 2 : 1;
      reader.skip(4);
    }
  }
  reader.skip(4 * lowFrequency + 4 * associatedData + 5 * coupling);
  reader.skip(reader.remaining % 8);
  reader.skip(8 * reader.bits(8)); // comment
  return channels;
}
