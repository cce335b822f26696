export { decodeAmf0, EcmaArray, encodeAmf0 } from './amf0.js';
export { decodeAmf3, encodeAmf3 } from './amf3.js';
export {
  type AmfObject,
  type AmfValue,
  isAmfObject,
  MAX_AMF_DEPTH,
  MAX_AMF_TEXT_BYTES,
  MAX_AMF_VALUES,
} from './value.js';
