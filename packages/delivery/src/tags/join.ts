import {
  type AccessRequest,
  type Admission,
  type Doorkeeper,
  Refusal,
  type Stream,
  type StreamRouter,
} from '@sluice/core';

/** A viewer that has been let in, and what it is to see. */
export interface Joined {
  readonly admission: Admission;
  readonly stream: Stream;
}

const NO_TRAFFIC = { received: 0, sent: 0 };

/**
 * Asks the gate, then waits for the stream.
 *
 * @param signal aborted when the viewer is gone
 * @throws {Refusal} when the gate says no, or the stream doesn't become live in time; the session is closed by then
 */
export async function join(
  request: AccessRequest,
  context: { readonly gate: Doorkeeper; readonly router: StreamRouter },
  signal: AbortSignal,
): Promise<Joined> {
  const admission = await context.gate.admit(request);
  const { path } = admission.session;
  const stream = context.router.find(path);
  if (stream !== undefined) return { admission, stream };
  const cut = new AbortController();
  admission.bind({ cut: (reason) => cut.abort(new Refusal('banned', reason)), traffic: () => NO_TRAFFIC });
  try {
    return {
      admission,
      stream: await context.router.waitFor(path, AbortSignal.any([signal, cut.signal]), { viewer: admission.session }),
    };
  } catch (error) {
    admission.close('not live');
    throw cut.signal.aborted ? cut.signal.reason : error;
  }
}
