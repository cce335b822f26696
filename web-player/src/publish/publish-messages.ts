import type { Message } from '../messages.js';
import { SdpExchangeError } from '../webrtc/sdp-exchange.js';
import { CaptureError, type CaptureErrorCode } from './capture.js';
import type { PublishFigures } from './publish-statistics.js';
import { ConnectionError } from './whip-connection.js';

const SHOWN_NO_CREDENTIAL = 'credential-missing';

/**
 * What to say of a fault of capturing or publishing, and what to do about it.
 *
 * @param hostname of the page
 */
export function faultMessage(error: Error, hostname: string): Message {
  if (error instanceof CaptureError) return captureMessage(error.code, error.message, hostname);
  if (error instanceof ConnectionError) return connectionMessage(error);
  if (error instanceof SdpExchangeError) return exchangeMessage(error);
  return { headline: 'That did not work.', detail: error.message };
}

function captureMessage(code: CaptureErrorCode, message: string, hostname: string): Message {
  switch (code) {
    case 'insecure':
      return {
        headline: 'Browsers give camera and screen to secure pages only.',
        detail: `Open it over HTTPS, at https://${hostname}:8088 if tls.certFile is set, or on the server itself at http://localhost.`,
      };
    case 'denied':
      return {
        headline: 'The browser may not use camera, microphone or screen.',
        detail: 'Allow it beside the address of this page, or in the settings of the system, and try again.',
      };
    case 'no-device':
      return { headline: 'There is no such camera or microphone.', detail: 'Connect one, or choose another.' };
    case 'busy':
      return {
        headline: 'The camera or the microphone is in use.',
        detail: 'Close the program that holds it, or choose another one.',
      };
    case 'no-screen':
      return { headline: 'This browser can’t share a screen.', detail: 'Browsers on computers can.' };
    case 'failed':
      return { headline: 'There is no picture or sound to be had.', detail: message };
  }
}

function connectionMessage({ code }: ConnectionError): Message {
  switch (code) {
    case 'no-h264':
      return { headline: 'This browser can’t send H.264.', detail: 'Another one can, as Chrome, Edge and Safari.' };
    case 'no-connection':
      return {
        headline: 'The server answered, but no media gets through to it.',
        detail: 'Its UDP port for WebRTC (8000 if not set otherwise) has to be reachable from here.',
      };
    case 'lost':
      return { headline: 'The connection was lost.' };
  }
}

function exchangeMessage({ code, status, reason, message }: SdpExchangeError): Message {
  if (code === 'unreachable') return { headline: 'The server does not answer.' };
  if (code === 'bad-answer') return { headline: 'Browser and server don’t understand each other.', detail: message };
  const detail = `The server says: ${message}.`;
  switch (status) {
    case 400:
      return { headline: 'The server can’t take this stream.', detail };
    case 401:
      return reason === SHOWN_NO_CREDENTIAL
        ? { headline: 'You need a key to publish here.', detail: 'Put it into the field “Key or token”.' }
        : { headline: 'The key is not taken.', detail };
    case 403:
      return { headline: 'You may not publish here.', detail };
    case 404:
    case 405:
      return { headline: 'This server takes no streams by WebRTC.', detail: 'Its setting is webrtc.enabled.' };
    case 406:
      return { headline: 'The server takes none of this browser’s formats.', detail };
    case 409:
      return { headline: 'Somebody else is publishing under this name.', detail };
    case 429:
      return { headline: 'The server takes no more streams just now.', detail };
    case 503:
      return { headline: 'The server is going down or overloaded.', detail };
    default:
      return { headline: `The server refused: ${status}.`, detail };
  }
}

/** What to say of what keeps the picture from being better; undefined where nothing does. */
export function limitationText(limitation: PublishFigures['limitation']): string | undefined {
  switch (limitation) {
    case 'none':
      return undefined;
    case 'cpu':
      return 'This device can’t encode faster: choose a smaller picture or fewer pictures per second.';
    case 'bandwidth':
      return 'The connection doesn’t carry more: the picture is made coarser.';
    case 'other':
      return 'The browser sends less than was asked for.';
  }
}
