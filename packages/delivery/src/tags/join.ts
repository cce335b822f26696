import type { AccessRequest, Admission, Gate, Stream, StreamRouter } from '@sluice/core';

/** A viewer that has been let in, and what it is to see. */
export interface Joined {
  readonly admission: Admission;
  readonly stream: Stream;
}

/**
 * Asks the gate, then waits for the stream.
 *
 * @param signal aborted when the viewer is gone
 * @throws {Refusal} when the gate says no, or the stream doesn't become live in time; the session is closed by then
 */
export async function join(
  request: AccessRequest,
  context: { readonly gate: Gate; readonly router: StreamRouter },
  signal: AbortSignal,
): Promise<Joined> {
  const admission = await context.gate.admit(request);
  try {
    const stream = await context.router.waitFor(admission.session.path, signal);
    return { admission, stream };
  } catch (error) {
    admission.close('not live', 0);
    throw error;
  }
}
