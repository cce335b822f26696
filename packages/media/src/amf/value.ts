/** A value that AMF can carry, as JavaScript has it. ECMA arrays and typed objects are plain objects here. */
export type AmfValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | Date
  | readonly AmfValue[]
  | { readonly [key: string]: AmfValue };

export type AmfObject = { readonly [key: string]: AmfValue };

/** Deep enough for any metadata seen; a bomb of nested objects ends here, not in the stack. */
export const MAX_AMF_DEPTH = 16;
/** Values in one message; the longest known `onMetaData`, with a keyframe index, stays below. */
export const MAX_AMF_VALUES = 20_000;
/** Text in one message, keys included; what references repeat is counted again. XMP of an edited file has some 100 KiB. */
export const MAX_AMF_TEXT_BYTES = 1024 * 1024;

export function isAmfObject(value: AmfValue): value is AmfObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
