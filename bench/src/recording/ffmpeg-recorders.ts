import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FlvTag } from '@sluice/media';
import type { CorePlan } from '../cores.js';
import { usageOf } from '../proc-stat.js';
import { makeFolder } from '../targets/launch.js';
import { startSluice } from '../webrtc/servers.js';
import { Publishers, streamOf } from './publishers.js';

/** How ffmpeg writes MP4: with one index at the end, or in fragments that outlive a crash. */
export const FFMPEG_KINDS = {
  plain: [],
  fragments: ['-movflags', '+frag_keyframe+empty_moov+default_base_moof'],
} as const;
export type FfmpegKind = keyof typeof FFMPEG_KINDS;

export interface FfmpegCost {
  readonly recorders: number;
  /** CPU time of each, in ms a second. */
  readonly cpuMsEach: number;
  readonly residentMibEach: number;
}

const WARM_UP_MS = 6000;

/** Recorders of their own, one `ffmpeg -c copy` for each stream of a server that doesn't record. */
export async function measureFfmpeg(
  kind: FfmpegKind,
  { plan, clip, streams, seconds }: { plan: CorePlan; clip: readonly FlvTag[]; streams: number; seconds: number },
): Promise<FfmpegCost> {
  const server = await startSluice({ plan });
  const folder = await makeFolder('ffmpeg');
  const recorders: ChildProcess[] = [];
  let publishers: Publishers | undefined;
  try {
    publishers = await Publishers.start(server.rtmp, clip, streams);
    for (let at = 0; at < streams; at++) {
      recorders.push(record(`${server.http}/${streamOf(at)}.flv`, kind, join(folder, `${at}.mp4`)));
    }
    await sleep(WARM_UP_MS);
    const pids = recorders.map(({ pid = 0 }) => pid);
    const [before, began] = [usageOf(pids), performance.now()];
    await sleep(seconds * 1000);
    const [after, elapsed] = [usageOf(pids), (performance.now() - began) / 1000];
    const ended = recorders.filter(({ exitCode }) => exitCode !== null).length;
    if (ended > 0) throw new Error(`${ended} of ${streams} ffmpeg have ended too early`);
    return {
      recorders: streams,
      cpuMsEach: ((after.cpuSeconds - before.cpuSeconds) * 1000) / elapsed / streams,
      residentMibEach: after.residentMib / streams,
    };
  } finally {
    await Promise.all(recorders.map(stopped));
    await publishers?.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function record(url: string, kind: FfmpegKind, file: string): ChildProcess {
  const ffmpeg = process.env.FFMPEG_PATH ?? 'ffmpeg';
  const args = ['-nostdin', '-v', 'error', '-i', url, '-c', 'copy', ...FFMPEG_KINDS[kind], '-y', file];
  return spawn(ffmpeg, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  await exited;
}
