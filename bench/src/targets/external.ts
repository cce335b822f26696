import type { Target } from './target.js';

/** What `--target name=publishUrl,playUrl,pid` says. */
export interface ExternalTarget {
  readonly name: string;
  readonly publishUrl: string;
  readonly playUrl: string;
  readonly pid: number;
}

/** @throws when it has another form */
export function parseExternalTarget(text: string): ExternalTarget {
  const [, name, publishUrl, playUrl, pid] =
    /^([^=]+)=(rtmp:\/\/[^,]+),((?:rtmp|http):\/\/[^,]+),(\d+)$/.exec(text) ?? [];
  if (name === undefined || publishUrl === undefined || playUrl === undefined) {
    throw new Error(
      `--target ${text}: write name=publishUrl,playUrl,pid, with rtmp:// to publish and rtmp:// or http:// to play`,
    );
  }
  return { name, publishUrl, playUrl, pid: Number(pid) };
}

/** A server that somebody else has started, and pinned if it is to be. */
export function externalTarget({ name, publishUrl, playUrl, pid }: ExternalTarget): Target {
  const own = playUrl.startsWith('rtmp:') ? 'rtmp' : 'flv';
  return {
    name,
    unavailable: (protocol) => (protocol === own ? undefined : `its play URL is for ${own}`),
    start: async () => ({ version: '', pid, publishUrl, playUrl: () => playUrl, stop: async () => undefined }),
  };
}
