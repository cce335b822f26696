import type { Skin } from './skin.js';

/** How a client of the meeting is in audio. */
export type AudioMode = 'none' | 'listen-only' | 'voice';
export type Locale = 'en' | 'de';
export type ModalKind = 'poll' | 'breakout' | 'recording' | 'session-details';
export type PictureMode = 'moving' | 'frozen' | 'black';
/** `lost`: the peer connection is closed, and the client says that it left the audio. */
export type SoundMode = 'tone' | 'silent' | 'lost';
/** Why a client is out of the meeting. */
export type EndReason = 'ended' | 'kicked' | 'inactive' | 'duplicate';

/**
 * What the audio dialog is like. `auto`: as the generation is. `asks`: it comes up although the link asks for none,
 * as has been seen in the field. `denied`: it asks, and has no button to listen only until the microphone was refused.
 */
export type AudioDialogMode = 'auto' | 'asks' | 'denied';

/** What the stub tells a client that has entered. */
export interface ClientSettings {
  readonly skin: Skin;
  readonly locale: Locale;
  readonly userId: string;
  readonly userName: string;
  readonly role: 'MODERATOR' | 'VIEWER';
  readonly meetingName: string;
  readonly guestStatus: 'ALLOW' | 'WAIT' | 'DENY';
  /** The link's `userdata-` parameters, without that word. */
  readonly userdata: Readonly<Record<string, string>>;
  readonly audioDialog: AudioDialogMode;
  /** How long the client loads before it shows anything but that, and again between its parts. */
  readonly mountDelayMs: number;
  /** How long something transparent lies over everything after the client has mounted, and takes all clicks. */
  readonly overlayMs: number;
  /** Where its WebSocket is. */
  readonly link: string;
  readonly logoutUrl: string;
  readonly picture: PictureMode;
  readonly sound: SoundMode;
}

/** Stub to client. */
export type ServerMessage =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'denied' }
  | { readonly kind: 'out'; readonly reason: EndReason }
  | { readonly kind: 'error'; readonly code: number }
  | { readonly kind: 'chat'; readonly from: string; readonly text: string }
  | { readonly kind: 'toast'; readonly text: string }
  | { readonly kind: 'modal'; readonly modal: ModalKind }
  | { readonly kind: 'overlay'; readonly ms: number }
  | { readonly kind: 'picture'; readonly mode: PictureMode }
  | { readonly kind: 'sound'; readonly mode: SoundMode }
  | { readonly kind: 'hang'; readonly ms: number }
  | { readonly kind: 'crash' };

/** Client to stub. */
export type ClientMessage =
  | { readonly kind: 'audio'; readonly mode: AudioMode }
  | { readonly kind: 'chat'; readonly text: string };
