/**
 * What the parts of BigBlueButton's clients are known by, of all generations: tried in order, the newest first. At a
 * release of BigBlueButton this table is what has to be looked at. Accessible names are in the client's language, which
 * the join link sets to that of the profile; those in German are for links that set none.
 */
export const SELECTORS = {
  /** The dialog that asks how to join the audio. */
  audioDialog: [
    '[data-test="audioModal"]',
    '[data-testid="audioModal"]',
    '[data-test="audioModalHeader"]',
    '[aria-label="Join audio modal"]',
    '[aria-label="Dialog zur Audioteilnahme"]',
  ],
  listenOnly: [
    '[data-test="listenOnlyBtn"]',
    '[data-test="helpListenOnlyBtn"]',
    'button[aria-label="Listen only"]',
    'button[aria-label="Nur zuhören"]',
  ],
  /** Asks for the microphone, which is refused: only then some clients offer to listen. */
  microphone: ['[data-test="microphoneBtn"]', 'button[aria-label="Microphone"]', 'button[aria-label="Mit Mikrofon"]'],
  echoYes: [
    '[data-test="echoYesBtn"]',
    '[data-test="joinEchoTestButton"]',
    '[aria-label="Echo is audible"]',
    '[aria-label="Echo ist hörbar"]',
  ],
  /** The browser plays nothing before somebody has clicked; the flags say otherwise, but a client may ask. */
  playAudio: ['[aria-label="Play audio"]', '[aria-label="Audio abspielen"]'],
  joinAudio: ['[data-test="joinAudio"]', '[aria-label="Join audio"]', '[aria-label="Audio starten"]'],
  inAudio: ['[data-test="leaveListenOnly"]', '[data-test="leaveAudio"]'],
  /** The client is there, whatever is open. */
  client: [
    '#ActionsBar',
    'header#Navbar',
    '[aria-label="Actions bar"]',
    '[class^="navbar"]',
    '[data-test="joinAudio"]',
    '[data-test="leaveListenOnly"]',
    '[data-test="leaveAudio"]',
  ],
  chatInput: ['textarea#message-input', 'textarea[aria-label^="Message input for chat"]'],
  chatSend: ['[data-test="sendMessageButton"]', '[aria-label="Send message"]'],
  chatButton: ['[data-test="chatButton"]', '[aria-label="Public Chat"]'],
  /** Opens and closes the user list and the chat beside it. It has another name while something is unread. */
  panelsToggle: [
    '[data-test="toggleUserList"]',
    '[data-test="hasUnreadMessages"]',
    '[data-test="navigationSidebarContainer"]',
    '[data-test="userListToggleButton"]',
    '[aria-label^="Users and messages toggle"]',
  ],
  panels: ['[data-test="userListContent"]', '[data-test="publicChat"]', '[data-test="userList"]'],
  ended: ['[data-test="meetingEndedModal"]', '[data-test="meetingEndedModalTitle"]'],
  error: ['h1[data-test="errorScreenMessage"]', '[data-test="errorScreenCode"]'],
  lobby: ['p[data-test="guestMessage"]', '#positionInWaitingQueue', '#heading'],
  reconnecting: ['[data-test="notificationBannerBar"]', '[class^="notificationsBar"]'],
  /** Closes what covers the picture. The audio dialog isn't among it, nor what would answer a poll. */
  dismiss: [
    '[data-test="modalDismissButton"]',
    '[data-test="recordingNotifyContinue"]',
    '[data-test="sessionDetailsModal"] [data-test="closeModal"]',
    '[role="dialog"]:not([data-test="audioModal"], [data-testid="audioModal"]) button[aria-label="Close"]',
    '[role="dialog"] button[aria-label="Continue"]',
    '[role="dialog"] button[aria-label="Schließen"]',
    '[role="dialog"] button[aria-label="Weiter"]',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** A part of a client. */
export type Part = keyof typeof SELECTORS;

/** What is kept out of the picture in any case: what asks or tells something. Unseen, it can be clicked all the same. */
const DIALOGS = [
  '[class*="modalOverlay" i]',
  '.ReactModal__Overlay',
  '[data-test="pollingContainer"]',
  '[data-test="notificationBannerBar"]',
  '[class^="notificationsBar"]',
];
const NOTIFICATIONS = ['.Toastify', '[data-test="toastSmallMsg"]', '[data-test="toastContainer"]'];

/** A style for the client. @param hidesParts whether bars, user list, chat and notifications are left out */
export function styleFor(hidesParts: boolean): string {
  const bars = ['#ActionsBar', 'header#Navbar', '[aria-label="Actions bar"]', '[class^="navbar"]'];
  const parts = hidesParts ? [...bars, ...NOTIFICATIONS, ...SELECTORS.panels] : [];
  return `${[...DIALOGS, ...parts].join(', ')} { opacity: 0 !important; }`;
}
