import {
  type ActiveRecording,
  type Clock,
  EventBus,
  loadConfig,
  parseStreamPath,
  type RecordedFile,
  silentLogger,
} from '@sluice/core';
import { millis } from '@sluice/media';
import { afterEach, describe, expect, it } from 'vitest';
import { testSession } from '../../../../test/support/sessions.js';
import { RecordingNotifier } from './recording-notifier.js';

const PATH = parseStreamPath('live/show');
const clock: Clock = { monotonic: () => millis(0), wall: () => millis(0) };
const names = { serverId: 'vid-1', serviceId: 's', streamId: () => 'vid-2' };

const file: RecordedFile = {
  ...{ id: 'f1', recording: 'r1', path: PATH, container: 'mp4', file: 'live/show/1.mp4', state: 'ready' },
  ...{ startedAt: millis(1000), duration: 5000, bytes: 700, tracks: [], gaps: [], isLocal: true },
};
const active: ActiveRecording = {
  ...{ id: 'r1', path: PATH, container: 'mp4', startedBy: 'api', startedAt: millis(1000), file: undefined },
  ...{ state: { kind: 'waiting' }, files: 0, bytes: 0 },
};

describe('the news of recordings', () => {
  const events = new EventBus(silentLogger);
  let notifier: RecordingNotifier | undefined;
  afterEach(() => notifier?.close());

  const listening = (callbacks: string): [url: string, body: Record<string, unknown>][] => {
    const sent: [string, Record<string, unknown>][] = [];
    const config = loadConfig({ file: { name: 'x', text: `callbacks: ${callbacks}` } });
    notifier = new RecordingNotifier({
      ...{ events, names, clock },
      settings: () => config.callbacks,
      sender: { send: (url, body) => void sent.push([url, JSON.parse(body) as Record<string, unknown>]) },
      placeOf: ({ file: place }) => ({ file: `./recordings/${place}`, cwd: '/srv' }),
    });
    return sent;
  };
  const publish = (name: 'stream-started' | 'stream-resumed', id: string) =>
    events.emit(name, { path: PATH, session: testSession({ id }) });

  it('are a file of the last publisher in the form of SRS, also when that one is gone', () => {
    const sent = listening('{ onDvr: ["http://a/", "http://b/"] }');
    publish('stream-started', 'one');
    publish('stream-resumed', 'two');
    events.emit('stream-ended', { path: PATH, reason: 'left', received: { bytes: 0, frames: 0 } });
    events.emit('recording-file-ready', { file });
    const place = { app: 'live', stream: 'show', file: './recordings/live/show/1.mp4', cwd: '/srv' };
    expect(sent.map(([url]) => url)).toEqual(['http://a/', 'http://b/']);
    expect(sent[0]?.[1]).toMatchObject({ action: 'on_dvr', client_id: 'two', ...place });
    expect(sent).toHaveLength(2);
  });

  it('have no publisher where an earlier run of the server had it', () => {
    const sent = listening('{ onDvr: ["http://a/"] }');
    events.emit('recording-file-ready', { file });
    expect(sent[0]?.[1]).toMatchObject({ action: 'on_dvr', client_id: '', app: 'live', stream: 'show' });
  });

  it('are all that happens in our own form', () => {
    const sent = listening('{ onRecording: ["http://a/"] }');
    const of = { path: PATH, recording: 'r1' };
    events.emit('recording-started', { recording: active });
    events.emit('recording-paused', { ...of, trouble: 'disk-full', detail: 'no room' });
    events.emit('recording-resumed', of);
    events.emit('recording-file-ready', { file });
    events.emit('recording-ended', { ...of, reason: 'stopped' });
    events.emit('recording-file-damaged', { file: { ...file, state: 'damaged' }, reason: 'cut short' });
    const remote = { bucket: 'b', key: 'k', uploadedAt: millis(0) };
    events.emit('recording-file-uploaded', { file: { ...file, remote } });
    events.emit('recording-file-removed', { file, reason: 'age' });
    const [event, at, server] = [expect.any(String), '1970-01-01T00:00:00.000Z', 'vid-1'];
    for (const [, body] of sent) expect(body).toMatchObject({ event, at, server, path: 'live/show' });
    const bodies = sent.map(([, { at: _, server: __, path: ___, ...rest }]) => rest);
    const told = { id: 'f1', recording: 'r1', state: 'ready', durationMs: 5000, endsAt: '1970-01-01T00:00:06.000Z' };
    const startedAt = '1970-01-01T00:00:01.000Z';
    expect(bodies).toMatchObject([
      { event: 'recording.started', recording: 'r1', container: 'mp4', startedBy: 'api', startedAt },
      { event: 'recording.paused', recording: 'r1', trouble: 'disk-full', detail: 'no room' },
      { event: 'recording.resumed', recording: 'r1' },
      { event: 'recording.file', file: told },
      { event: 'recording.ended', recording: 'r1', reason: 'stopped' },
      { event: 'recording.damaged', file: { id: 'f1', state: 'damaged' }, reason: 'cut short' },
      { event: 'recording.uploaded', file: { ...told, remote: { bucket: 'b', key: 'k' } } },
      { event: 'recording.removed', file: told, reason: 'age' },
    ]);
  });

  it('end with the notifier, and are none where nobody asks for them', () => {
    const sent = listening('{ onHls: ["http://a/"] }');
    events.emit('recording-file-ready', { file });
    notifier?.close();
    const later = listening('{ onDvr: ["http://a/"] }');
    notifier?.close();
    events.emit('recording-file-ready', { file });
    expect([...sent, ...later]).toEqual([]);
  });
});
