import { isSince, type Skin } from '../skin.js';
import type { Attributes } from './dom.js';
import type { Word } from './words.js';

/** What the parts of a generation's client are known by. Accessible names are in the client's language. */
export interface Look {
  readonly navBar: Attributes;
  readonly actionsBar: Attributes;
  readonly audioDialog: Attributes;
  readonly audioDialogHeader: Attributes;
  readonly listenOnly: Attributes;
  readonly helpListenOnly: Attributes;
  readonly microphone: Attributes;
  readonly echoYes: Attributes;
  readonly closeAudioDialog: Attributes;
  readonly playAudio: Attributes;
  readonly joinAudio: Attributes;
  readonly leaveAudio: (isListenOnly: boolean) => Attributes;
  readonly toggle: (hasUnread: boolean) => Attributes;
  readonly banner: Attributes;
  readonly dismiss: Attributes;
  readonly sessionDetails: Attributes;
  readonly recordingContinue: Attributes;
  readonly ended: Attributes;
  readonly endedTitle: Attributes;
}

/** The look of a generation. 2.x before 2.6 is known by accessible names where later ones have `data-test`. */
export function lookOf(skin: Skin, words: Readonly<Record<Word, string>>): Look {
  return isSince(skin, '2.7') ? newLook(skin === 'livekit', words) : oldLook(skin, words);
}

const test = (name: string, label?: string): Attributes => ({ 'data-test': name, 'aria-label': label });
const labelled = (label: string): Attributes => ({ 'aria-label': label });

function oldLook(skin: Skin, words: Readonly<Record<Word, string>>): Look {
  return {
    navBar: { class: 'navbar--Z1nvlkm' },
    actionsBar: { ...labelled(words.actionsBar), class: 'actionsbar--bXrRg' },
    audioDialog: labelled(words.audioDialog),
    audioDialogHeader: test('audioModalHeader'),
    listenOnly: labelled(words.listenOnly),
    helpListenOnly: labelled(words.listenOnly),
    microphone: labelled(words.microphone),
    echoYes: labelled(words.echoYes),
    closeAudioDialog: labelled(words.closeAudioDialog),
    playAudio: labelled(words.playAudio),
    joinAudio: test('joinAudio', words.joinAudio),
    leaveAudio: () => test('leaveAudio', words.leaveAudio),
    toggle: (hasUnread) => test('userListToggleButton', hasUnread ? words.toggleUnread : words.toggle),
    banner: { class: 'notificationsBar--Z1lM' },
    dismiss: labelled(words.close),
    sessionDetails: {},
    recordingContinue: labelled(words.continueRecording),
    ended: skin === '2.2' ? {} : test('meetingEndedModal'),
    endedTitle: test('meetingEndedModalTitle'),
  };
}

function newLook(isLivekit: boolean, words: Readonly<Record<Word, string>>): Look {
  return {
    navBar: { id: 'Navbar' },
    actionsBar: { id: 'ActionsBar' },
    audioDialog: isLivekit ? { 'data-testid': 'audioModal' } : test('audioModal'),
    audioDialogHeader: {},
    listenOnly: test('listenOnlyBtn', words.listenOnly),
    helpListenOnly: test('helpListenOnlyBtn', words.listenOnly),
    microphone: test('microphoneBtn', words.microphone),
    echoYes: test(isLivekit ? 'joinEchoTestButton' : 'echoYesBtn', words.echoYes),
    closeAudioDialog: test('closeModal', words.closeAudioDialog),
    playAudio: labelled(words.playAudio),
    joinAudio: test('joinAudio', words.joinAudio),
    leaveAudio: (isListenOnly) => test(isListenOnly ? 'leaveListenOnly' : 'leaveAudio', words.leaveAudio),
    toggle: (hasUnread) => {
      if (isLivekit) return test('navigationSidebarContainer', hasUnread ? words.toggleUnread : words.toggle);
      return hasUnread ? test('hasUnreadMessages', words.toggleUnread) : test('toggleUserList', words.toggle);
    },
    banner: test('notificationBannerBar'),
    dismiss: test('modalDismissButton', words.close),
    sessionDetails: test('sessionDetailsModal'),
    recordingContinue: isLivekit ? test('recordingNotifyContinue') : labelled(words.continueRecording),
    ended: test('meetingEndedModal'),
    endedTitle: {},
  };
}
