export { CaptureBrowser } from './browser/browser.js';
export { findChromium } from './browser/find-chromium.js';
export { CaptureError } from './capture/capture-error.js';
export { type CaptureEvent, TabCapture } from './capture/tab-capture/tab-capture.js';
export { Publisher, type PublisherState } from './publish/publisher.js';
export { allowTarget, originOf, PublishTarget } from './publish/target.js';
