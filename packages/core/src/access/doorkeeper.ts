import type { StreamPath } from '../stream-path.js';
import type { Admission } from './gate.js';
import type { AccessAction, AccessRequest } from './request.js';
import type { Identity, Session } from './session.js';

/** What doors ask, whatever the protocol: the gate itself, or the way to the one of another process. */
export interface Doorkeeper {
  /**
   * Lets a request in, as a session that is counted and can be ended from outside.
   *
   * @throws {Refusal} with the reason
   */
  admit(request: AccessRequest): Promise<Admission>;
  /**
   * Whether a request would be let in, as far as that can be told without asking anybody outside; nothing is opened.
   *
   * @throws {Refusal} with the reason
   */
  inspect(request: AccessRequest): Promise<Identity>;
  /**
   * Opens a session again for somebody who had one and was away, without asking for the credential once more.
   *
   * @throws {Refusal} with the reason
   */
  resume(request: AccessRequest, before: Session): Promise<Admission>;
  /** Whether anybody at an address may do something with a path without showing a credential. Asks nobody outside. */
  isOpenTo(action: AccessAction, path: StreamPath, ip: string): boolean;
}
