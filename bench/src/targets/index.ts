import { nginxRtmp } from './nginx-rtmp.js';
import { nodeMediaServer } from './node-media-server.js';
import { guardedSluice, sluice } from './sluice.js';
import type { Target } from './target.js';

/** The servers that the bench knows how to start. */
export const KNOWN_TARGETS: readonly Target[] = [sluice, guardedSluice, nodeMediaServer, nginxRtmp];
