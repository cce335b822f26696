import { createHash } from 'node:crypto';
import type { StreamPath } from '@sluice/core';

/** How this server calls itself and its streams towards others. */
export interface ServerNames {
  /** SRS's `server_id`: the same over restarts. */
  readonly serverId: string;
  /** SRS's `service_id`: new with each start. */
  readonly serviceId: string;
  /** SRS's `stream_id`: what is asked before a stream begins must name it as what is told after it ends. */
  readonly streamId: (path: StreamPath) => string;
}

/** An id in SRS's form, `vid-` and seven characters, that is the same for a path as long as a server runs. */
export function derivedStreamId(serviceId: string, path: StreamPath): string {
  const number = createHash('sha256').update(`${serviceId}\n${path}`).digest().readUIntBE(0, 6);
  return `vid-${number.toString(36).padStart(7, '0').slice(-7)}`;
}
