import { type Answer, ask, isOk, outcome } from './http.js';
import type { PlaylistOrigin } from './lines.js';
import { type ParsedPlaylist, parsePlaylist } from './parse.js';
import { type Finding, reporter } from './rules.js';

/** A playlist as a server gave it. */
export interface LoadedPlaylist extends Pick<ParsedPlaylist, 'playlist'> {
  readonly answer: Answer;
}

/** Gathers findings, each once. */
export class Findings {
  readonly #found = new Map<string, Finding>();

  add(findings: readonly Finding[]): void {
    for (const finding of findings) {
      const key = `${finding.rule} ${finding.playlistUrl} ${finding.detail}`;
      if (!this.#found.has(key)) this.#found.set(key, finding);
    }
  }

  get all(): readonly Finding[] {
    return [...this.#found.values()];
  }
}

const MEDIA_TYPES = /^(application\/vnd\.apple\.mpegurl|audio\/mpegurl)\b/i;

/**
 * Loads a playlist and checks its answer and its text.
 *
 * @param name the URL by which findings name it
 * @returns undefined where there is none, which is reported unless the signal came
 */
export async function loadPlaylist(
  url: string,
  options: { name: string; signal: AbortSignal; variables?: PlaylistOrigin['variables']; findings: Findings },
): Promise<LoadedPlaylist | undefined> {
  const { name, signal, variables, findings } = options;
  const answer = await ask(url, signal);
  const { findings: found, report } = reporter(name);
  if (!isOk(answer)) {
    if (answer.status !== 0 || !signal.aborted) report('playlist-unavailable', outcome(answer));
    findings.add(found);
    return undefined;
  }
  const type = answer.headers.get('content-type') ?? '';
  if (!MEDIA_TYPES.test(type) && !/\.m3u8?$/.test(new URL(answer.url).pathname)) {
    report('playlist-content-type', `Content-Type is "${type}", and the path doesn't end with .m3u8 either`);
  }
  if (answer.headers.get('content-encoding') === null) report('playlist-not-zipped', 'there is no Content-Encoding');
  const text = textOf(answer.body);
  if (text === undefined) report('playlist-not-utf-8', 'it is not UTF-8');
  const origin = variables === undefined ? { url: answer.url } : { url: answer.url, variables };
  const parsed = parsePlaylist(text ?? answer.body.toString('latin1'), origin);
  findings.add(found);
  findings.add(parsed.findings.map((finding) => ({ ...finding, playlistUrl: name })));
  return { playlist: parsed.playlist, answer };
}

function textOf(body: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
