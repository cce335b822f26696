import type { Session } from '@sluice/core';
import type { CallbackNews, RecordedFileNews } from './callback-news.js';
import { recordedFileBody } from './recording-body.js';
import type { ServerNames } from './server-names.js';

/** The body of a callback in our own form: who it is about, why it ended, and what went through. */
export function sluiceBody(news: CallbackNews, names: ServerNames, at: number): Readonly<Record<string, unknown>> {
  const { event, session } = news;
  return {
    event,
    at: new Date(at).toISOString(),
    server: names.serverId,
    session: session === undefined ? null : about(session),
    ...('reason' in news ? { reason: news.reason, traffic: news.traffic } : {}),
    ...('segment' in news ? { segment: news.segment } : {}),
    ...('recording' in news ? fileBody(news.recording) : {}),
    query: session?.query ?? '',
  };
}

function about({ id, action, protocol, path, ip, userAgent, identity }: Session) {
  return { id, action, protocol, path, ip, userAgent, viewer: identity.viewer, credential: identity.kind };
}

function fileBody({ recorded, file, cwd }: RecordedFileNews) {
  return { file: { ...recordedFileBody(recorded), onDisk: file, cwd } };
}
