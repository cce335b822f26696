import { api } from './api.js';
import type { TestServer } from './server.js';

/** A recorded file as the API tells of it. */
export interface RecordedFileAnswer {
  readonly id: string;
  readonly recording: string;
  readonly container: string;
  readonly file: string;
  readonly state: string;
  readonly reason: string | null;
  readonly startedAt: string;
  readonly endsAt: string;
  readonly durationMs: number;
  readonly bytes: number;
  readonly tracks: readonly { readonly codec: string; readonly width?: number }[];
  readonly gaps: readonly { readonly at: number; readonly missing: number; readonly reason: string }[];
  readonly sha256: string | null;
}

/** The files of a stream, oldest first. */
export async function recordedFiles(server: Pick<TestServer, 'api'>, path: string): Promise<RecordedFileAnswer[]> {
  const query = new URLSearchParams({ path, limit: '500' });
  const { body } = await api<{ recordings: RecordedFileAnswer[] }>(server, 'GET', `/api/v2/recordings?${query}`);
  return body.recordings.reverse();
}
