/**
 * Settings that make the client of any BBB generation join the sound by itself, only to listen, with nothing over the
 * picture. Each client knows some of them and leaves the rest.
 *
 * @param options.hides whether bars, lists and notifications are kept out of the picture
 * @param options.writesInChat whether the way to the chat is needed, which leads through the navigation bar: that is there
 * then, and made invisible by a style
 */
export function listenerUserdata({
  locale,
  hides,
  writesInChat = false,
}: {
  readonly locale: string;
  readonly hides: boolean;
  readonly writesInChat?: boolean;
}): Readonly<Record<string, string | boolean>> {
  const always = {
    bbb_auto_join_audio: true,
    bbb_listen_only_mode: true,
    bbb_force_listen_only: true,
    bbb_skip_check_audio: true,
    bbb_skip_check_audio_on_first_join: true,
    bbb_enable_video: false,
    bbb_ask_for_feedback_on_logout: false,
    bbb_show_session_details_on_join: false,
    bbb_override_default_locale: locale,
  };
  if (!hides) return always;
  return {
    ...always,
    bbb_show_participants_on_login: false,
    bbb_show_public_chat_on_login: false,
    bbb_hide_nav_bar: !writesInChat,
    bbb_hide_actions_bar: true,
    bbb_hide_notifications: true,
    bbb_hide_controls: true,
  };
}
