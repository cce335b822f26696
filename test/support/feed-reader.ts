import { AS_ADMIN, type TestServer } from './server.js';

/** An event of the feed. */
interface FeedMessage {
  readonly name: string;
  readonly data: unknown;
}

/** Listens to a feed of the control API, as an administrator unless told otherwise. */
export class FeedReader {
  readonly events: FeedMessage[] = [];
  ended = false;
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;

  constructor({ api }: TestServer, path: string, headers: Record<string, string> = AS_ADMIN) {
    this.#running = this.#read(`${api}/api/v2${path}`, headers).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #read(url: string, headers: Record<string, string>): Promise<void> {
    const response = await fetch(url, { headers, signal: this.#abort.signal });
    let rest = '';
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, name = '', data = 'null'] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
        this.events.push({ name, data: JSON.parse(data) });
      }
    }
    this.ended = true;
  }
}
