/** One event of a stream of server-sent events. */
export interface ServerEvent {
  readonly name: string;
  readonly data: string;
}

/** Reads server-sent events (HTML Living Standard §9.2) as they come in, cut wherever the network cuts them. */
export class EventStreamReader {
  #rest = '';

  push(text: string): ServerEvent[] {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    return blocks.flatMap((block) => {
      let name = 'message';
      const data: string[] = [];
      for (const line of block.split('\n')) {
        const [, field, value = ''] = /^(event|data):? ?(.*)$/.exec(line) ?? [];
        if (field === 'event') name = value;
        else if (field === 'data') data.push(value);
      }
      return data.length === 0 ? [] : [{ name, data: data.join('\n') }];
    });
  }
}
