import type { FromWorker } from '@sluice/cluster';
import type { Config, Logger } from '@sluice/core';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** A log whose lines the main process writes. What is below its level stays here. */
export function lineLogger(send: (message: FromWorker) => void, level: () => Config['log']['level']): Logger {
  const method =
    (own: (typeof LEVELS)[number]): Logger['info'] =>
    (fields, message) => {
      if (LEVELS.indexOf(own) >= LEVELS.indexOf(level())) send({ type: 'log', level: own, fields, message });
    };
  return { debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') };
}
