import { type ActiveRecording, type LifecycleEvents, liveEndOf, type RecordedFile } from '@sluice/core';

/** The events of recordings that are told, and what they are called outside. */
export const RECORDING_EVENTS = {
  'recording-started': 'recording.started',
  'recording-paused': 'recording.paused',
  'recording-resumed': 'recording.resumed',
  'recording-ended': 'recording.ended',
  'recording-file-ready': 'recording.file',
  'recording-file-damaged': 'recording.damaged',
  'recording-file-removed': 'recording.removed',
  'recording-file-uploaded': 'recording.uploaded',
} as const satisfies Partial<Record<keyof LifecycleEvents, string>>;

export type RecordingEvent = keyof typeof RECORDING_EVENTS;

/** What a body tells of a file. */
export function recordedFileBody(file: RecordedFile): Readonly<Record<string, unknown>> {
  const { startedAt, duration, remote, ...rest } = file;
  return {
    ...rest,
    startedAt: new Date(startedAt).toISOString(),
    endsAt: new Date(liveEndOf(file)).toISOString(),
    durationMs: duration,
    ...(remote === undefined ? {} : { remote: { bucket: remote.bucket, key: remote.key } }),
  };
}

/** The body of an event of a recording. It has one form: there is nothing of SRS to be like. */
export function recordingBody<K extends RecordingEvent>(
  name: K,
  event: LifecycleEvents[K],
  about: { readonly serverId: string; readonly at: number },
): Readonly<Record<string, unknown>> {
  const told: Readonly<Record<string, unknown>> = { ...event };
  return {
    event: RECORDING_EVENTS[name],
    at: new Date(about.at).toISOString(),
    server: about.serverId,
    ...told,
    ...('file' in event ? { path: event.file.path, file: recordedFileBody(event.file) } : {}),
    ...('recording' in event && typeof event.recording === 'object' ? activeBody(event.recording) : {}),
  };
}

function activeBody({ id, path, container, startedBy, startedAt }: ActiveRecording) {
  return { recording: id, path, container, startedBy, startedAt: new Date(startedAt).toISOString() };
}
