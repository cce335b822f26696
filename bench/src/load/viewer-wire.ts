/** One viewer's protocol: what to send at first, and what to make of the bytes that come. */
export interface ViewerWire {
  readonly host: string;
  readonly port: number;
  /** Whether the server has said that it plays. */
  readonly accepted: boolean;
  /** The first bytes to send. */
  start(): Buffer;
  /** @throws where the server refuses, or talks nonsense */
  feed(bytes: Buffer, length: number): void;
}
