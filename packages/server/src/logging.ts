import type { Logger } from '@sluice/core';
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import pretty from 'pino-pretty';

/** Query strings hold keys and tokens; whatever carries one is cut before it reaches a log. */
const QUERY_IN_URL = /\?[^\s"']*/g;

export type ServerLogger = Logger & Pick<PinoLogger, 'flush' | 'level'>;

/**
 * The log of the process.
 *
 * @param options.format `auto` is for people on a terminal and for machines elsewhere
 */
export function createLogger(options: {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'auto' | 'pretty' | 'json';
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}): ServerLogger {
  const isPretty = options.format === 'pretty' || (options.format === 'auto' && options.output.isTTY === true);
  const destination: DestinationStream = isPretty
    ? pretty({
        colorize: options.output.isTTY === true,
        translateTime: 'SYS:HH:MM:ss.l',
        ignore: 'pid,hostname',
        singleLine: true,
        destination: options.output,
        sync: true,
      })
    : options.output;
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withoutQueries },
    },
    destination,
  );
}

function withoutQueries(fields: Record<string, unknown>): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    clean[key] = typeof value === 'string' && value.includes('?') ? value.replace(QUERY_IN_URL, '?…') : value;
  }
  return clean;
}
