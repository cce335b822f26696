import { allowTarget, CaptureSupervisor, PublishTarget } from '@sluice/bbb-capture';
import {
  type AuditTrail,
  type CaptureInfo,
  CaptureRefusal,
  type Clock,
  type Config,
  type LiveConfig,
  type Logger,
  parseStreamPath,
  Refusal,
  TokenIssuer,
} from '@sluice/core';

export interface CapturesOptions {
  readonly live: Pick<LiveConfig, 'current'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** ffmpeg's file; undefined where there is none. */
  readonly ffmpeg: string | undefined;
  readonly signingSecret: () => string;
  /** Of this server's RTMP. */
  readonly rtmpPort: () => number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether links may lead anywhere: for who could open them here anyway. Else `bbb.url` and `bbb.joinOrigins` say where. */
  readonly takesAnyLink?: boolean;
  /** A capture has got into another state. */
  readonly onState?: (info: CaptureInfo) => void;
}

/** A credential is made for each connection, and of no use afterwards. */
const TOKEN_SECONDS = 60;
const EVERYWHERE = new Set(['', '::', '0.0.0.0']);

/** Captures of BigBlueButton meetings, into streams of this server or to where `bbb.targets` allows. */
export function makeCaptures(options: CapturesOptions): CaptureSupervisor {
  const { live, clock, log, ffmpeg, signingSecret, rtmpPort, environment, takesAnyLink, onState } = options;
  const issuer = new TokenIssuer({ auth: () => live.current.auth, signingSecret, clock });
  const ownTarget = (text: string) => {
    const path = pathOf(text);
    const credential = () => {
      const { parameter, value } = issuer.sign({ action: 'publish', path, validSeconds: TOKEN_SECONDS });
      return `?${new URLSearchParams({ [parameter]: value })}`;
    };
    // Where none can be made, it is refused now and not in the middle of it.
    credential();
    const stream = `${ownOrigin(live.current, rtmpPort())}/${path}`;
    return new PublishTarget(stream, path, { stream, credential });
  };
  return new CaptureSupervisor({
    settings: () => live.current.bbb,
    targetOf: (text) => (text.includes(':') ? allowTarget(text, live.current.bbb.targets) : ownTarget(text)),
    environment,
    ...(takesAnyLink === undefined ? {} : { takesAnyLink }),
    ffmpeg,
    clock,
    log,
    ...(onState === undefined ? {} : { onState }),
  });
}

/** Writes the ends of captures into the audit log; their beginnings come from who asks for them. */
export function auditEnds(audit: AuditTrail): (info: CaptureInfo) => void {
  return ({ meetingId, state, id }) => {
    if (state.kind !== 'ended' && state.kind !== 'failed') return;
    const detail = state.kind === 'ended' ? `${id}: ${state.reason}` : `${id}: ${state.failure}`;
    const result = state.kind === 'ended' ? 'ok' : 'failed';
    audit.record({ actor: 'system', ip: undefined, action: 'capture.end', target: meetingId, result, detail });
  };
}

/** @throws {CaptureRefusal} */
function pathOf(text: string): string {
  try {
    return parseStreamPath(text);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new CaptureRefusal(
      'bad-request',
      `the target is neither an RTMP URL nor app/name: ${error.message}`,
      'target',
    );
  }
}

function ownOrigin({ rtmp: { host } }: Config, port: number): string {
  const name = EVERYWHERE.has(host) ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `rtmp://${name}:${port}`;
}
