/// <reference lib="dom" />
import type { ClientSettings } from '../protocol.js';
import { isSince } from '../skin.js';
import { button, element } from './dom.js';
import type { Look } from './look.js';
import type { Word } from './words.js';

/** Bars, user list and chat: what stands around the picture. */
export class Parts {
  /** Where the buttons for audio are. */
  readonly actions: HTMLElement;
  readonly #look: Look;
  readonly #words: Readonly<Record<Word, string>>;
  readonly #settings: ClientSettings;
  readonly #say: (text: string) => void;
  readonly #app: HTMLElement;
  readonly #messages = element('div');
  #toggle: HTMLButtonElement;
  #userList: HTMLElement | undefined;
  #chat: HTMLElement | undefined;

  constructor(
    app: HTMLElement,
    { look, words, settings }: { look: Look; words: Readonly<Record<Word, string>>; settings: ClientSettings },
    say: (text: string) => void,
  ) {
    this.#app = app;
    this.#look = look;
    this.#words = words;
    this.#settings = settings;
    this.#say = say;
    const isSet = (name: string) => settings.userdata[name] === 'true';
    this.#toggle = this.#makeToggle(false);
    const navBar = element('header', { ...look.navBar }, this.#toggle, settings.meetingName);
    navBar.classList.add('part', 'nav-bar');
    if (!isSet('bbb_hide_nav_bar')) app.append(navBar);
    this.actions = element('section', { ...look.actionsBar });
    this.actions.classList.add('part', 'actions-bar');
    // The parameter came with 2.4.
    const canHide = isSince(settings.skin, '2.4');
    if (!(canHide && isSet('bbb_hide_actions_bar'))) app.append(this.actions);
    if (settings.userdata.bbb_show_participants_on_login !== 'false') this.#open();
  }

  /** A chat message has come. */
  message(from: string, text: string): void {
    this.#messages.append(element('p', { 'data-test': 'chatMessageText' }, `${from}: ${text}`));
    if (this.#chat === undefined) this.#renameToggle(true);
  }

  #makeToggle(hasUnread: boolean): HTMLButtonElement {
    return button('☰', this.#look.toggle(hasUnread), () => {
      if (this.#userList === undefined) this.#open();
      else this.#close();
    });
  }

  /** The button for the panels has another name while there is something unread. */
  #renameToggle(hasUnread: boolean): void {
    const renamed = this.#makeToggle(hasUnread);
    this.#toggle.replaceWith(renamed);
    this.#toggle = renamed;
  }

  #open(): void {
    const openChat = button(this.#words.chatButton, { 'data-test': 'chatButton' }, () => this.#openChat());
    const names = element('p', {}, `${this.#words.users}: ${this.#settings.userName}`);
    this.#userList = element('nav', { class: 'part user-list', 'data-test': 'userListContent' }, names, openChat);
    this.#app.append(this.#userList);
    if (this.#settings.userdata.bbb_show_public_chat_on_login !== 'false') this.#openChat();
  }

  #openChat(): void {
    if (this.#chat !== undefined) return;
    const input = element('textarea', { id: 'message-input', 'aria-label': this.#words.chatInput });
    const send = () => {
      if (input.value.trim() !== '') this.#say(input.value);
      input.value = '';
    };
    input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey) return;
      event.preventDefault();
      send();
    });
    const sending = button('➤', { 'data-test': 'sendMessageButton', 'aria-label': this.#words.send }, send);
    this.#chat = element('section', { class: 'part chat', 'data-test': 'publicChat' }, this.#messages, input, sending);
    this.#app.append(this.#chat);
    this.#renameToggle(false);
  }

  #close(): void {
    this.#userList?.remove();
    this.#chat?.remove();
    this.#userList = undefined;
    this.#chat = undefined;
  }
}
