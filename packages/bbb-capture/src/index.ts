export { CaptureBrowser } from './browser/browser.js';
export { findChromium } from './browser/find-chromium.js';
export {
  type Generation,
  type MeetingEvent,
  type MeetingOptions,
  type MeetingSession,
  openMeeting,
} from './browser/meeting-session.js';
export { CaptureError } from './capture/capture-error.js';
export { type CaptureEvent, TabCapture } from './capture/tab-capture/tab-capture.js';
export { Publisher, type PublisherState } from './publish/publisher.js';
export { allowTarget, originOf, PublishTarget } from './publish/target.js';
