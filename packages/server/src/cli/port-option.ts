import { StartError } from '../start-error.js';

/** @param option whose value it is, for the message. @throws {StartError} */
export function parsePort(option: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new StartError(`${option} ${text} is no port; write 1 to 65535`);
  return port;
}
