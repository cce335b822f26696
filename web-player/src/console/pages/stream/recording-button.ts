import { element, setText } from '../../../dom.js';
import { pathPart } from '../../api-client/api-client.js';
import { button } from '../../components/button.js';
import type { PageContext } from '../../page.js';
import { streamTexts } from './texts.js';

/** Starts and stops the recording of a stream, and says how it is. */
export function recordingButton({ api, feed, i18n, may, toast, fail }: PageContext, path: string) {
  const words = i18n.words(streamTexts);
  const active = () => feed.recordings.values().find((recording) => recording.path === path);
  const start = async () => {
    try {
      await api.post('/recordings/start', { path });
      toast(words('recordStarted', { path }), 'good');
    } catch (error) {
      fail(error);
    }
  };
  const stop = async () => {
    try {
      const id = active()?.id;
      if (id !== undefined) await api.post(`/recordings/active/${pathPart(id)}/stop`);
      toast(words('recordStopped'), 'good');
    } catch (error) {
      fail(error);
    }
  };
  const disabled = !may('sessions');
  const begin = button({ label: words('record'), icon: 'record', disabled, onPress: start });
  const end = button({ label: words('stopRecord'), icon: 'stop', disabled, onPress: stop });
  const told = element('p', { class: 'hint recording-state', role: 'status' });
  const show = (isLive: boolean) => {
    const recording = active();
    begin.hidden = recording !== undefined;
    begin.disabled = disabled || !isLive;
    end.hidden = recording === undefined;
    if (recording === undefined) {
      setText(told, '');
      return;
    }
    const time = i18n.format.time(recording.startedAt);
    const since = words('recordingSince', { time, bytes: i18n.format.bytes(recording.bytes) });
    const paused = recording.state === 'paused' ? ` · ${words('recordPaused')}` : '';
    const why = recording.startedBy === 'configuration' ? ` · ${words('byConfiguration')}` : '';
    setText(told, since + paused + why);
  };
  return { buttons: [begin, end], told, show };
}
