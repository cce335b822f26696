import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Finding, failed, findFfmpeg, messageOf, ok, warning } from '@sluice/core';

/** What each encoder is for. */
const ENCODERS = {
  libopus: 'sound other than Opus, for WebRTC viewers',
  aac: 'sound of WebRTC publishers, for HLS and FLV viewers',
  libx264: 'picture that is turned into another size or codec',
} as const;
const TIMEOUT_MS = 10_000;

/** Whether there is an ffmpeg, and what it can do. */
export async function ffmpegFindings(environment: Readonly<Record<string, string | undefined>>): Promise<Finding[]> {
  const program = findFfmpeg(environment);
  if (program === undefined) {
    const named = environment.FFMPEG_PATH;
    return [
      warning(
        'ffmpeg',
        named === undefined ? 'not on the PATH' : `FFMPEG_PATH ${named} is no program`,
        'Without it, WebRTC viewers hear Opus only, and there are no renditions and posters. Install it (Debian: apt-get install ffmpeg), or set FFMPEG_PATH.',
      ),
    ];
  }
  try {
    const [, version = 'of an unknown version'] = /^ffmpeg version (\S+)/.exec(await run(program, '-version')) ?? [];
    const list = await run(program, '-encoders');
    const findings = [ok('ffmpeg', `${version} (${program})`)];
    for (const [encoder, purpose] of Object.entries(ENCODERS)) {
      const isThere = new RegExp(`^ [VA]\\S{5} ${encoder} `, 'm').test(list);
      const check = `ffmpeg's encoder ${encoder}`;
      findings.push(
        isThere
          ? ok(check, 'there')
          : warning(check, `not there; it is for ${purpose}`, 'Install an ffmpeg that was built with it.'),
      );
    }
    return findings;
  } catch (error) {
    return [failed('ffmpeg', `${program} can't be run: ${messageOf(error)}`, 'Install another, or set FFMPEG_PATH.')];
  }
}

async function run(program: string, option: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, ['-hide_banner', option], { timeout: TIMEOUT_MS });
  return stdout;
}
