import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clip, makeClip } from './support/clip.js';
import { ffprobe } from './support/ffmpeg.js';
import { IS_LONG } from './support/long.js';
import { ClipPublisher } from './support/publisher.js';
import { recordedFiles } from './support/recordings.js';
import { API_TOKEN } from './support/server.js';
import { ServerProcess } from './support/server-process.js';
import { until } from './support/until.js';

const FLUSH_MS = 1000;
/** For a frame on its way to the server, on a machine that does other things too. */
const ON_THE_WAY_MS = 150;
const CONTAINERS = ['mp4', 'flv', 'ts'] as const;
/** How long encoders have been sending when the server dies, in ms. */
const INSTANTS = IS_LONG ? Array.from({ length: 50 }, (_, at) => 200 + ((at * 617) % 4300)) : [350, 2490];
const CONFIG = `
recording: { enabled: true, flushSeconds: ${FLUSH_MS / 1000} }
paths:
  flv/*: { recording: { container: flv, segmentSeconds: 2 } }
  ts/*: { recording: { container: ts } }
`;

/** How much an encoder had sent, and when. */
interface Sent {
  readonly publisher: ClipPublisher;
  readonly log: { readonly at: number; readonly sent: number }[];
}

/** One that had just begun when the server died has none, and can't be read. */
async function frames(file: string): Promise<number> {
  const { packets } = await ffprobe(file).catch(() => ({ packets: [] }));
  for (const kind of ['video', 'audio']) {
    const times = packets.filter(({ codec_type }) => codec_type === kind).map(({ dts_time }) => Number(dts_time));
    expect([file, times.slice(1).filter((time, at) => time <= (times[at] ?? 0))]).toEqual([file, []]);
  }
  return packets.length;
}

describe('a server that is killed', () => {
  let directory: string;
  let recordings: string;
  let clip: Clip;
  let server: ServerProcess;
  const start = async () => {
    server = await ServerProcess.start(
      { SLUICE_CONFIG: join(directory, 'sluice.yml'), SLUICE_DATA_DIR: directory, SLUICE_API_TOKEN: API_TOKEN },
      directory,
    );
  };
  const apiOf = ({ ports }: ServerProcess) => ({ api: `http://127.0.0.1:${ports.api}` });
  const filesOnDisk = async () => {
    const entries = await readdir(recordings, { recursive: true, withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-crash-'));
    recordings = join(directory, 'recordings');
    await writeFile(join(directory, 'sluice.yml'), CONFIG);
    clip = await makeClip('h264-b', 3);
    await start();
  });
  afterAll(async () => {
    await server.stop();
    await rm(directory, { recursive: true });
  });

  it(
    `has each frame that is older than flushSeconds in a file that plays, ${INSTANTS.length} times`,
    async () => {
      const seen = new Set<string>();
      for (const instant of INSTANTS) {
        const streams = await Promise.all(
          CONTAINERS.map(async (container): Promise<Sent> => {
            const url = `rtmp://127.0.0.1:${server.ports.rtmp}/${container}/show`;
            return { publisher: await ClipPublisher.start(url, clip, { loop: true }), log: [] };
          }),
        );
        const began = Date.now();
        await until('it is time', () => {
          for (const { publisher, log } of streams) log.push({ at: Date.now(), sent: publisher.sent });
          return Date.now() - began >= instant;
        });
        const due = Date.now() - FLUSH_MS - ON_THE_WAY_MS;
        await server.crash();
        for (const { publisher } of streams) publisher.kill();

        const grown = (await filesOnDisk()).filter((file) => !seen.has(file));
        const expectAll = async (when: string) => {
          for (const [at, container] of CONTAINERS.entries()) {
            const files = grown.filter((file) => file.startsWith(join(recordings, container)) && existsSync(file));
            const kept = await Promise.all(files.map(frames));
            const wanted = streams[at]?.log.findLast((point) => point.at <= due)?.sent ?? 0;
            const found = kept.reduce((sum, count) => sum + count, 0);
            expect(found, `${when} ${instant} ms, ${container}: frames`).toBeGreaterThanOrEqual(wanted);
          }
        };
        await expectAll('as it was left after');
        await start();
        const rows = async () =>
          (await Promise.all(CONTAINERS.map((name) => recordedFiles(apiOf(server), `${name}/show`)))).flat();
        await until('all is ready', async () => {
          const known = await rows();
          const names = new Set(known.map(({ file }) => join(recordings, file)));
          // One in which there was nothing yet is removed.
          const isSettled = (file: string) => names.has(file) || !existsSync(file);
          return known.every(({ state }) => state !== 'writing') && grown.every(isSettled);
        });
        await expectAll('as it was repaired after');
        const known = await rows();
        expect(known.map(({ file }) => join(recordings, file)).sort()).toEqual((await filesOnDisk()).sort());
        for (const { file, state, reason, bytes, sha256, durationMs } of known) {
          const place = join(recordings, file);
          if (seen.has(place)) continue;
          seen.add(place);
          if (state === 'damaged') {
            expect([file, await frames(place), reason]).toEqual([
              file,
              0,
              expect.stringContaining("can't be finished"),
            ]);
            continue;
          }
          expect([file, state]).toEqual([file, 'ready']);
          const found = await readFile(place);
          expect([file, found.length, createHash('sha256').update(found).digest('hex')]).toEqual([file, bytes, sha256]);
          expect((await ffprobe(place)).warnings).toBe('');
          expect(durationMs).toBeGreaterThan(0);
        }
      }
    },
    60_000 + INSTANTS.length * 20_000,
  );
});
