import { connect, type Socket } from 'node:net';

export interface TcpTarget {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
}

/** What became of an attempt to connect: how long it took, or the system's word for why not. */
export type TcpOutcome =
  | { readonly kind: 'connected'; readonly ms: number }
  | { readonly kind: 'refused' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'failed'; readonly detail: string };

/** Connects, and closes again. */
export async function tryTcp({ host, port }: TcpTarget, timeoutMs: number): Promise<TcpOutcome> {
  const begin = performance.now();
  const socket = connect({ host, port });
  const outcome = await new Promise<TcpOutcome>((done) => {
    socket.setTimeout(timeoutMs, () => done({ kind: 'silent' }));
    socket.once('connect', () => done({ kind: 'connected', ms: Math.round(performance.now() - begin) }));
    socket.once('error', (error) => done(outcomeOf(error)));
  });
  drop(socket);
  return outcome;
}

function outcomeOf(error: NodeJS.ErrnoException): TcpOutcome {
  // A name with several addresses fails with the errors of each.
  const first = error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : error;
  if (first.code === 'ECONNREFUSED') return { kind: 'refused' };
  if (first.code === 'ETIMEDOUT') return { kind: 'silent' };
  return { kind: 'failed', detail: first.code ?? first.message };
}

/** Ends a connection that nothing is wanted of any more, errors of its end too. */
export function drop(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.destroy();
}
