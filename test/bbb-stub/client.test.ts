import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from '../support/browser.js';
import { IS_BBB_LONG } from '../support/long.js';
import { until } from '../support/until.js';
import { flashOffsets, listen, look } from './page-probe.js';
import { type Action, BbbStub, type Meeting, type MeetingOptions, SKINS } from './src/index.js';

const LISTENS = { 'userdata-bbb_force_listen_only': 'true', 'userdata-bbb_show_session_details_on_join': 'false' };
const HIDDEN = {
  'userdata-bbb_hide_nav_bar': 'true',
  'userdata-bbb_hide_actions_bar': 'true',
  'userdata-bbb_hide_notifications': 'true',
  'userdata-bbb_show_participants_on_login': 'false',
};
/** 2.2 has no parameter for it. */
const STYLE = { 'userdata-bbb_custom_style': '[aria-label="Actions bar"] { display: none }' };

describe.runIf(IS_BBB_LONG)("the stub's client", () => {
  let stub: BbbStub;
  let browser: TestBrowser;
  let page: Page;
  let meeting: Meeting;
  const faults: string[] = [];
  beforeAll(async () => {
    stub = await BbbStub.start();
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await stub.stop();
  });
  beforeEach(async () => {
    faults.length = 0;
    page = await browser.newPage();
    page.on('pageerror', (error) => faults.push(error.message));
  });
  afterEach(async () => {
    await page.close();
    expect(faults).toEqual([]);
  });

  const open = (options: Partial<MeetingOptions> = {}): void => {
    meeting = stub.meetings.create({ meetingID: 'one', ...options });
  };
  const join = (parameters: Record<string, string> = {}) =>
    page.goto(stub.joinUrl({ meetingID: 'one', fullName: 'Bot', userID: 'bot', ...LISTENS, ...parameters }));
  const act = (action: Action): void => meeting.act(action);
  const audio = () => meeting.attendees.at(-1)?.audio;
  const inAudio = () => until('the server has it in audio', () => audio() === 'listen-only');
  const seen = (selector: string) => page.locator(selector).first().waitFor({ state: 'visible', timeout: 15_000 });

  describe.each(SKINS)('of %s', (skin) => {
    it('joins by itself, is heard and shows a counter that runs', async () => {
      open({ skin });
      await join();
      await inAudio();
      await seen(
        { '2.2': '[data-test=leaveAudio]', '2.4': '[data-test=leaveAudio]' }[skin as string] ??
          '[data-test=leaveListenOnly]',
      );
      const heard = await listen(page);
      expect(heard?.elementId).toBe(skin === 'livekit' ? '' : 'remote-media');
      expect(Math.abs((heard?.loudestHz ?? 0) - 1000)).toBeLessThan(30);
      await until('the time goes on', async () => ((await listen(page))?.currentTime ?? 0) > (heard?.currentTime ?? 0));
      const first = (await look(page)).mark?.counter ?? Number.NaN;
      await until('the counter runs', async () => ((await look(page)).mark?.counter ?? 0) > first);
      const isMeteor = await page.evaluate<boolean>(
        "'Meteor' in globalThis && !('meetingClientSettings' in globalThis)",
      );
      expect(isMeteor).toBe(skin.startsWith('2'));
      const info = await (await fetch(stub.signedUrl('getMeetingInfo', { meetingID: 'one' }))).text();
      expect(info).toContain('<isListeningOnly>true</isListeningOnly>');
    });

    it('shows what is forbidden unless it is hidden', async () => {
      open({ skin });
      await join();
      await inAudio();
      act({ do: 'toast', text: 'Look' });
      await seen('.Toastify .toast');
      expect((await look(page)).forbidden).toEqual(['navBar', 'actionsBar', 'userList', 'chat', 'toast']);
      await join({ ...HIDDEN, ...(skin === '2.2' ? STYLE : {}) });
      await inAudio();
      act({ do: 'toast', text: 'Look' });
      expect((await look(page)).forbidden).toEqual([]);
    });

    it('has its dialog for audio, in which listening only can be chosen', async () => {
      open({ skin, audioDialog: 'asks' });
      await join();
      await seen('[data-test=audioModalHeader], [data-test=audioModal], [data-testid=audioModal]');
      expect((await look(page)).forbidden).toContain('modal');
      await page.click('button[aria-label="Listen only"], [data-test=listenOnlyBtn]');
      await inAudio();
    });

    it('ends', async () => {
      open({ skin });
      await join();
      await inAudio();
      act({ do: 'end' });
      await seen('[data-test=meetingEndedModal], [data-test=meetingEndedModalTitle]');
      expect(await page.textContent('h1')).toBe('This session has ended');
      expect(await listen(page)).toBeUndefined();
    });
  });

  it('flashes with the beep', async () => {
    open();
    await join();
    await inAudio();
    await until('it follows the beeps', async () => {
      const offsets = await flashOffsets(page, 3);
      return offsets.length > 1 && offsets.every((offset) => Math.abs(offset) < 60);
    });
  });

  it('holds its viewers in the lobby', async () => {
    for (const skin of ['2.4', '2.7', '3.0'] as const) {
      open({ skin, guestPolicy: 'ASK_MODERATOR' });
      await join();
      await seen(skin === '2.4' ? '#heading' : 'p[data-test=guestMessage]');
      expect(new URL(page.url()).pathname).toBe(skin === '3.0' ? '/html5client/' : '/html5client/guestWait');
      await until('it is connected', () => meeting.attendees.at(-1)?.link !== undefined);
      act({ do: 'admit' });
      await inAudio();
    }
    open({ guestPolicy: 'ASK_MODERATOR' });
    await join();
    await until('it is connected', () => meeting.attendees.at(-1)?.link !== undefined);
    act({ do: 'deny' });
    await until(
      'it is told',
      async () => (await page.textContent('[data-test=guestMessage]'))?.includes('denied') === true,
    );
  });

  it('has a page for who has no session', async () => {
    await page.goto(`${stub.origin}/html5client/?sessionToken=none`);
    await seen('h1[data-test=errorScreenMessage]');
  });

  it('puts out whoever is kicked, idle or there twice', async () => {
    open({ skin: 'livekit' });
    for (const [action, text] of [
      ['kick', 'You have been removed from the meeting'],
      ['time-out', 'User inactive for too long'],
    ] as const) {
      await join();
      await inAudio();
      act({ do: action, userID: 'bot' });
      await seen(`text=${text}`);
    }
    await join();
    await inAudio();
    await fetch(stub.joinUrl({ meetingID: 'one', fullName: 'Bot', userID: 'bot' }), { redirect: 'manual' });
    await seen('text=Duplicate user trying to join meeting');
    await join();
    await inAudio();
    act({ do: 'error', code: 500 });
    await seen('[data-test=errorScreenCode]');
  });

  it('says that it lost its connection, and gets it back', async () => {
    open();
    await join();
    await inAudio();
    act({ do: 'disconnect', ms: 1500 });
    await seen('[data-test=notificationBannerBar]');
    await page.locator('[data-test=notificationBannerBar]').waitFor({ state: 'detached' });
    await inAudio();
  });

  it('comes up late, in German, and under something that takes all clicks', async () => {
    open({ skin: '2.4', locale: 'de', audioDialog: 'asks', mountDelayMs: 700, overlayMs: 2000 });
    await join();
    await seen('text=Loading');
    const clicked = Date.now();
    await page.click('[aria-label="Nur zuhören"]');
    expect(Date.now() - clicked).toBeGreaterThan(1000);
    await inAudio();
    await join({ 'userdata-bbb_override_default_locale': 'en' });
    await seen('button[aria-label="Listen only"]');
  });

  it('offers to listen when the microphone was refused', async () => {
    open({ audioDialog: 'denied' });
    await page.addInitScript(
      "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))",
    );
    await join({ 'userdata-bbb_force_listen_only': 'false' });
    await page.click('[data-test=microphoneBtn]');
    await page.click('[data-test=helpListenOnlyBtn]');
    await inAudio();
  });

  it('joins with a microphone after an echo test', async () => {
    open();
    await join({ 'userdata-bbb_force_listen_only': 'false' });
    await page.click('[data-test=microphoneBtn]');
    await page.click('[data-test=echoYesBtn]');
    await until('it speaks', () => audio() === 'voice');
    await seen('[data-test=leaveAudio]');
  });

  it('has dialogs that come up by themselves', async () => {
    open();
    await join({ ...HIDDEN, 'userdata-bbb_show_session_details_on_join': 'true' });
    await page.click('[data-test=sessionDetailsModal] [data-test=closeModal]');
    await inAudio();
    act({ do: 'modal', modal: 'breakout' });
    await page.click('[data-test=modalDismissButton]');
    act({ do: 'modal', modal: 'poll' });
    await seen('[data-test=pollingContainer]');
    expect((await look(page)).forbidden).toEqual(['modal']);
    act({ do: 'modal', modal: 'recording' });
    await page.click('[aria-label=Continue]');
  });

  it('renames the button for the panels when something is unread', async () => {
    open();
    await join({ 'userdata-bbb_show_public_chat_on_login': 'false' });
    await inAudio();
    await seen('[data-test=toggleUserList]');
    expect(await page.locator('#message-input').count()).toBe(0);
    act({ do: 'chat', text: 'Hello' });
    await seen('[data-test=hasUnreadMessages]');
    await page.click('[data-test=chatButton]');
    await seen('[data-test=toggleUserList]');
    await page.fill('textarea#message-input', 'Hello yourself');
    await page.click('[data-test=sendMessageButton]');
    await until('it is said', () => meeting.chat.some(({ text }) => text === 'Hello yourself'));
  });

  it('falls silent, freezes, turns black and loses its sound', async () => {
    open();
    await join(HIDDEN);
    await inAudio();
    act({ do: 'sound', mode: 'silent' });
    await until('nothing is heard', async () => (await listen(page))?.loudestHz === 0);
    act({ do: 'sound', mode: 'tone' });
    act({ do: 'picture', mode: 'frozen' });
    const { mark } = await look(page);
    expect((await look(page)).mark).toEqual(mark);
    act({ do: 'picture', mode: 'black' });
    await until('there is nothing to read', async () => (await look(page)).mark === undefined);
    act({ do: 'sound', mode: 'lost' });
    await until('the server knows', () => audio() === 'none');
  });

  it('crashes', async () => {
    open();
    await join();
    await inAudio();
    const crashed = page.waitForEvent('crash', { timeout: 30_000 });
    act({ do: 'crash' });
    await crashed;
    await until('the server has it out', () => meeting.present.length === 0);
  });
});
