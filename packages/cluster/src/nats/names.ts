/**
 * A stream path or a node's name as one token of a NATS subject, and as a key: dots part tokens, and there is no `=` in
 * either.
 */
export const tokenOf = (name: string): string => name.replaceAll('.', '=');

/** The name that a token stands for. */
export const nameOf = (token: string): string => token.replaceAll('=', '.');
