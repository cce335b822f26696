export { type Id3Frame, readId3, writeId3 } from './tag.js';
