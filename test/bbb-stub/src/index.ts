export { BbbStub, type JoinParameters, type StubOptions } from './bbb-stub.js';
export { MARK_MODULUS, type ReadMark, readMarkOfPixels } from './mark.js';
export type { Action } from './meeting/action.js';
export type { Meeting } from './meeting/meeting.js';
export type { MeetingOptions } from './meeting/options.js';
export type { Fault } from './server/faults.js';
export { FORBIDDEN_COLOURS, forbiddenShares, SKINS, type Skin } from './skin.js';
