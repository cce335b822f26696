import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP line to somewhere that can be cut without either end being told: what is sent goes nowhere. */
export class CuttableLine {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #state: { isCut: boolean; bytes: number };

  private constructor(server: Server, port: number, sockets: Set<Socket>, state: { isCut: boolean; bytes: number }) {
    this.#server = server;
    this.#sockets = sockets;
    this.#state = state;
    this.port = port;
  }

  /** @param to a port of this machine */
  static start(to: number): Promise<CuttableLine> {
    const sockets = new Set<Socket>();
    const state = { isCut: false, bytes: 0 };
    const keep = (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    };
    const server = createServer((near) => {
      keep(near);
      if (state.isCut) return;
      const far = connect(to, '127.0.0.1');
      keep(far);
      near.on('data', (bytes) => {
        state.bytes += bytes.length;
        if (!state.isCut) far.write(bytes);
      });
      far.on('data', (bytes) => {
        if (!state.isCut) near.write(bytes);
      });
      near.on('close', () => far.destroy());
      far.on('close', () => {
        if (!state.isCut) near.destroy();
      });
    });
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(new CuttableLine(server, typeof address === 'object' ? (address?.port ?? 0) : 0, sockets, state));
      });
    });
  }

  /** What has come in at the near end. */
  get bytes(): number {
    return this.#state.bytes;
  }

  cut(): void {
    this.#state.isCut = true;
  }

  /** What was cut off stays so: both ends begin anew. */
  mend(): void {
    this.#state.isCut = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
