/** A level of the log: fields first, then the sentence. pino's loggers fit. */
type LogMethod = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** The log as the house needs it. Never called per packet. */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
}

const nothing: LogMethod = () => {};

/** A log that keeps nothing, for tests. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
