/** What ffmpeg says of its progress, `-progress`. */
export interface FfmpegProgress {
  readonly frames: number;
  /** Pictures per second. */
  readonly fps: number;
  /** 1 is real time; undefined before the first picture. */
  readonly speed: number | undefined;
  /** Pictures that it left out. */
  readonly dropped: number;
}

/** Cuts what comes in pieces into lines. What is longer than it can be is given up to its end. */
export class Lines {
  readonly #longest: number;
  #rest = '';

  constructor(longest = 4096) {
    this.#longest = longest;
  }

  push(bytes: Buffer): string[] {
    const lines = (this.#rest + bytes.toString('latin1')).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '').slice(-this.#longest);
    return lines.map((line) => line.slice(0, this.#longest));
  }
}

/** Reads the `key=value` lines of `-progress`; a block of them ends with `progress=`. */
export class ProgressReader {
  readonly #lines = new Lines();
  #fields = new Map<string, string>();

  /** @returns the newest block that is complete */
  push(bytes: Buffer): FfmpegProgress | undefined {
    let newest: FfmpegProgress | undefined;
    for (const line of this.#lines.push(bytes)) {
      const at = line.indexOf('=');
      if (at < 1) continue;
      const key = line.slice(0, at);
      if (key !== 'progress') {
        if (this.#fields.size < 100) this.#fields.set(key, line.slice(at + 1).trim());
        continue;
      }
      newest = progressOf(this.#fields);
      this.#fields = new Map();
    }
    return newest;
  }
}

function progressOf(fields: ReadonlyMap<string, string>): FfmpegProgress {
  const number = (key: string): number | undefined => {
    const value = Number.parseFloat(fields.get(key) ?? '');
    return Number.isFinite(value) ? value : undefined;
  };
  return {
    frames: number('frame') ?? 0,
    fps: number('fps') ?? 0,
    speed: number('speed'),
    dropped: number('drop_frames') ?? 0,
  };
}

/** A line of ffmpeg's log. */
export interface FfmpegLine {
  /** `other`: a program beside ffmpeg's own log, as an encoder's library or what started it. */
  readonly level: 'error' | 'warning' | 'info' | 'other';
  readonly text: string;
}

const LEVEL = /\[(panic|fatal|error|warning|info)\] /;

/** Reads a line as `-loglevel level+…` writes it: `[mpegts @ 0x55] [error] text`. */
export function ffmpegLine(line: string): FfmpegLine {
  const named = LEVEL.exec(line)?.[1];
  const level = named === undefined ? 'other' : named === 'warning' || named === 'info' ? named : 'error';
  return { level, text: line.replace(LEVEL, '').replace(/ @ 0x[0-9a-f]+/g, '') };
}
