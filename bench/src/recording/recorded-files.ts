import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type SentCount, streamOf } from './publishers.js';

/** What the API tells of a recorded file. */
interface RecordedFile {
  readonly path: string;
  readonly file: string;
  readonly state: string;
  readonly bytes: number;
}

/** What became of all recordings. */
export interface FilesReport {
  readonly files: number;
  readonly bytes: number;
  /** That they take on the disk. */
  readonly allocated: number;
  /** Each stream whose frames aren't all in its files, and why. */
  readonly faults: readonly string[];
}

const FINISH_TIMEOUT_MS = 300_000;
const POLL_MS = 500;
/** As many as the API gives at once. */
const LIMIT = 1000;
const AT_A_TIME = 2;
const run = promisify(execFile);

/** Resolves when so many files are finished. @throws where they aren't in time */
export async function finishedFiles(api: string, token: string, count: number): Promise<readonly RecordedFile[]> {
  const deadline = performance.now() + FINISH_TIMEOUT_MS;
  for (;;) {
    const answer = await fetch(`${api}/api/v2/recordings?limit=${LIMIT}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const { recordings } = (await answer.json()) as { recordings: RecordedFile[] };
    if (recordings.length >= count && recordings.every(({ state }) => state !== 'writing')) return recordings;
    if (performance.now() > deadline) {
      throw new Error(`${recordings.length} of ${count} files are known after ${FINISH_TIMEOUT_MS / 1000} s`);
    }
    await sleep(POLL_MS);
  }
}

/** Reads all files with ffprobe, and counts their frames. @param root that they are under */
export async function checkFiles(
  root: string,
  recorded: readonly RecordedFile[],
  sent: readonly SentCount[],
): Promise<FilesReport> {
  const found = new Map<string, SentCount>();
  const faults: string[] = [];
  let [bytes, allocated] = [0, 0];
  const left = [...recorded];
  const checkNext = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const place = join(root, next.file);
      const { size, blocks } = await stat(place);
      bytes += size;
      allocated += blocks * 512;
      if (next.state !== 'ready') faults.push(`${next.file} is ${next.state}`);
      if (size !== next.bytes) faults.push(`${next.file} has ${size} bytes, not ${next.bytes}`);
      const counted = await countFrames(place);
      if (counted.complaint !== '') faults.push(`${next.file}: ${counted.complaint}`);
      const before = found.get(next.path) ?? { video: 0, audio: 0 };
      found.set(next.path, { video: before.video + counted.video, audio: before.audio + counted.audio });
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, checkNext));
  for (const [at, { video, audio }] of sent.entries()) {
    const of = found.get(streamOf(at));
    if (of?.video === video && of.audio === audio) continue;
    faults.push(`${streamOf(at)}: ${of?.video} of ${video} pictures, ${of?.audio} of ${audio} of sound`);
  }
  return { files: recorded.length, bytes, allocated, faults };
}

async function countFrames(file: string): Promise<SentCount & { readonly complaint: string }> {
  const ffprobe = process.env.FFPROBE_PATH ?? 'ffprobe';
  const show = ['-count_packets', '-show_entries', 'stream=codec_type,nb_read_packets', '-of', 'json'];
  const { stdout, stderr } = await run(ffprobe, ['-v', 'warning', ...show, file]);
  const { streams } = JSON.parse(stdout) as { streams: { codec_type: string; nb_read_packets: string }[] };
  const of = (kind: string) =>
    streams.reduce((sum, stream) => (stream.codec_type === kind ? sum + Number(stream.nb_read_packets) : sum), 0);
  return { video: of('video'), audio: of('audio'), complaint: stderr.trim() };
}
