import { StartError } from '../start-error.js';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/**
 * Reads `90s`, `15m`, `3h` or `7d`.
 *
 * @param option whose value it is, for the message
 * @returns whole seconds
 * @throws {StartError}
 */
export function parseDuration(option: string, text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * SECONDS[unit as keyof typeof SECONDS];
  if (unit === '' || seconds === 0) throw new StartError(`${option} ${text} is no duration; write 90s, 15m, 3h or 7d`);
  return seconds;
}
