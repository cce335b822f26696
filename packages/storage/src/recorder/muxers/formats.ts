import { flvFormat } from './flv-muxer.js';
import { mp4Format } from './mp4-muxer.js';
import type { ContainerFormats } from './muxer.js';
import { tsFormat } from './ts-muxer.js';

/** What recordings can be written as. */
export const CONTAINER_FORMATS: ContainerFormats = { mp4: mp4Format, flv: flvFormat, ts: tsFormat };
