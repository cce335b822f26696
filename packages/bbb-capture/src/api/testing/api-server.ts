import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export const SECRET = 'mysecret&+ü';

/** What is answered to a call; `undefined` closes the connection. */
export type Answer =
  | string
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body: string };
export type Answers = Readonly<Record<string, Answer | ((query: URLSearchParams) => Answer | undefined)>>;

export const ok = (inner: string): string => `<response><returncode>SUCCESS</returncode>${inner}</response>`;
export const fail = (key: string, message: string): string =>
  `<response>\n<returncode>FAILED</returncode><messageKey>${key}</messageKey><message>${message}</message></response>`;

/** A BigBlueButton API of few words: it checks each checksum over the bytes that came, and answers what it was told. */
export class ApiServer {
  /** Calls in the order in which they came, with whether they were signed rightly. */
  readonly calls: string[] = [];
  answers: Answers = {};
  algorithms: readonly string[] = ['sha256'];
  readonly #server = createServer((request, response) => this.#serve(request, response));

  async listen(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}/bigbluebutton/api`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  #serve({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const [path = '', query = ''] = url.split(/\?(.*)/s);
    const call = path.replace(/^\/bigbluebutton\/api\/?/, '');
    const isSigned = call === '' || this.#isSigned(call, query);
    this.calls.push(`${call} ${isSigned ? 'signed' : 'unsigned'}`);
    const known = this.answers[call];
    let answer: Answer | undefined = isSigned
      ? typeof known === 'function'
        ? known(new URLSearchParams(query))
        : known
      : fail('checksumError', 'Checksums do not match');
    if (call === '' && known === undefined) answer = ok('<version>2.0</version><bbbVersion>3.0.16</bbbVersion>');
    if (answer === undefined) {
      response.destroy();
      return;
    }
    const { status, headers = {}, body } = typeof answer === 'string' ? { status: 200, body: answer } : answer;
    response.writeHead(status, { 'content-type': 'text/xml', ...headers });
    response.end(body);
  }

  #isSigned(call: string, query: string): boolean {
    const [, before = '', checksum = ''] = /^(.*?)&?checksum=([\da-f]+)$/.exec(query) ?? [];
    return this.algorithms.some(
      (algorithm) => createHash(algorithm).update(`${call}${before}${SECRET}`).digest('hex') === checksum,
    );
  }
}
