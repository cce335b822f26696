import { type LiveConfig, type Logger, type ReasonCode, Refusal, settingsFor } from '@sluice/core';
import type { SrtPlay } from '@sluice/delivery';
import type { SrtPublish } from '@sluice/ingest';
import { REJECTION, readStreamId, type SrtGrant, SrtListener, SrtRefusal, type SrtRequest } from '@sluice/srt';

/** The code that an SRT caller is told for each refusal. */
const REJECTION_OF: Readonly<Record<ReasonCode, number>> = {
  'bad-name': REJECTION.badRequest,
  'not-live': REJECTION.notFound,
  unavailable: REJECTION.unavailable,
  'already-publishing': REJECTION.conflict,
  busy: REJECTION.conflict,
  'address-denied': REJECTION.forbidden,
  banned: REJECTION.forbidden,
  closed: REJECTION.forbidden,
  'credential-missing': REJECTION.unauthorized,
  'credential-invalid': REJECTION.unauthorized,
  'credential-expired': REJECTION.unauthorized,
  'too-many-failures': REJECTION.overload,
  'callback-refused': REJECTION.forbidden,
  'callback-failed': REJECTION.unavailable,
  'origin-refused': REJECTION.forbidden,
  'too-many-sessions': REJECTION.overload,
  draining: REJECTION.unavailable,
  'shutting-down': REJECTION.unavailable,
};

/** The passphrase of a path, for who publishes or who watches it. */
export function passphrases(live: LiveConfig) {
  return {
    publish: (path: string) => settingsFor(live.current, path).srt.publishPassphrase,
    play: (path: string) => settingsFor(live.current, path).srt.playPassphrase,
  };
}

/** The SRT port: what a caller wants, its stream id says. */
export function makeSrtListener(options: {
  live: LiveConfig;
  publish: SrtPublish;
  play: SrtPlay;
  log: Logger;
}): SrtListener {
  const { live, publish, play, log } = options;
  const { latencyMs, maxConnections, maxConnectionsPerIp } = live.current.srt;
  const decide = async (request: SrtRequest): Promise<SrtGrant> => {
    const wanted = readStreamId(request.streamId);
    if (wanted === undefined) {
      const told = 'the stream id names no stream; write publish:app/name, or #!::r=app/name,m=publish';
      log.warn({ ip: request.peer.address, reason: 'bad-name', detail: told }, 'request refused');
      throw new SrtRefusal(REJECTION.badRequest, told);
    }
    try {
      return await (wanted.action === 'publish' ? publish : play).decide(request, wanted);
    } catch (error) {
      if (error instanceof Refusal) throw new SrtRefusal(REJECTION_OF[error.code], error.message);
      throw error;
    }
  };
  const latency = { receiveLatency: latencyMs, sendLatency: latencyMs };
  return new SrtListener({ decide, log, options: latency, maxConnections, maxConnectionsPerIp });
}
