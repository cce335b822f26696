import type { RtmpMediaMessage } from '../wire/message.js';

/** What happened in a server session, in order. */
export type RtmpServerEvent =
  /** The client asks to publish; answer with `acceptPublish` or `refuse`. */
  | { readonly type: 'publish'; readonly stream: string; readonly query: string }
  /** The client asks to play; answer with `acceptPlay` or `refuse`. */
  | { readonly type: 'play'; readonly stream: string; readonly query: string }
  | { readonly type: 'media'; readonly message: RtmpMediaMessage }
  /** A player turns sound or picture off and on; a pause turns off both. */
  | { readonly type: 'receive'; readonly audio: boolean; readonly video: boolean }
  /** The session has said no, to `connect` or to a name that is none: the connection is to be ended. */
  | { readonly type: 'refused'; readonly reason: string }
  /** The client ended its publish or play and may ask for another. */
  | { readonly type: 'stopped'; readonly reason: string };
