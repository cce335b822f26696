import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ErrorShape } from './api/answer.js';
import { algorithmsOf, type ChecksumAlgorithm, checksum } from './api/checksum.js';
import { Meetings } from './meeting/meetings.js';
import { API, ApiRoute, type ReceivedCall } from './server/api-route.js';
import { clientPage, enter, frontPage, guestWait, script } from './server/client-route.js';
import { CONTROL, control } from './server/control-route.js';
import { Faults } from './server/faults.js';
import { Links } from './server/links.js';
import { html, type Reply, send } from './server/reply.js';
import type { Skin } from './skin.js';

export interface StubOptions {
  /** On the loopback interface; a free one by default. */
  readonly port?: number;
  /** Generation of the server, and of its meetings where they say nothing else. */
  readonly skin?: Skin;
  readonly secret?: string;
  /** Those that the server takes; by default those of its generation. */
  readonly algorithms?: readonly ChecksumAlgorithm[];
  readonly errorShape?: ErrorShape;
  /** How long a meeting's end takes after the API was asked for it. */
  readonly endDelayMs?: number;
}

/** Parameters of a join link; others go into it as they are. */
export interface JoinParameters {
  readonly meetingID: string;
  readonly fullName: string;
  readonly [name: string]: string;
}

const END_DELAY_MS = 300;

/** A BigBlueButton server on a loopback port: its API, its clients of several generations, and their meetings. */
export class BbbStub {
  readonly secret: string;
  /** What goes wrong with calls. */
  readonly faults = new Faults();
  readonly meetings: Meetings;
  readonly port: number;
  readonly #api: ApiRoute;
  readonly #links: Links;
  readonly #server: Server;

  private constructor(server: Server, options: StubOptions) {
    const skin = options.skin ?? '3.0';
    this.secret = options.secret ?? randomBytes(24).toString('hex');
    this.meetings = new Meetings(skin);
    this.#api = new ApiRoute(
      {
        skin,
        secret: this.secret,
        algorithms: options.algorithms ?? algorithmsOf(skin),
        errorShape: options.errorShape,
        endDelayMs: options.endDelayMs ?? END_DELAY_MS,
      },
      this.meetings,
      this.faults,
    );
    this.#links = new Links(this.meetings);
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** @throws an error of `listen` where the port is taken */
  static async start(options: StubOptions = {}): Promise<BbbStub> {
    const server = createServer();
    await new Promise<void>((listening, failed) => {
      server.once('error', failed);
      server.listen(options.port ?? 0, '127.0.0.1', listening);
    });
    const stub = new BbbStub(server, options);
    server.on('request', (request, response) => {
      stub.#serve(request, response).catch((error: Error) => send(response, html(error.message, 500)));
    });
    server.on('upgrade', (request, socket, head) => stub.#links.upgrade(request, socket, head));
    return stub;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Address of the API. */
  get url(): string {
    return `${this.origin}${API}`;
  }

  /** The calls that came. */
  get calls(): readonly ReceivedCall[] {
    return this.#api.received;
  }

  /** A signed call. @param parameters its query, as it is to be sent */
  signedUrl(call: string, parameters: Readonly<Record<string, string>>): string {
    const query = new URLSearchParams(parameters).toString();
    const hash = checksum('sha256', call, query, this.secret);
    return `${this.url}/${call}?${query}${query === '' ? '' : '&'}checksum=${hash}`;
  }

  /** A link into a meeting; as one who only attends, where the parameters hold no password and no role. */
  joinUrl(parameters: JoinParameters): string {
    const { attendeePW = 'ap' } = this.meetings.get(parameters.meetingID)?.settings ?? {};
    const password = parameters.role === undefined ? { password: attendeePW } : {};
    return this.signedUrl('join', { ...password, ...parameters });
  }

  async stop(): Promise<void> {
    this.meetings.close();
    this.#links.close();
    const closed = new Promise((done) => this.#server.close(done));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = split(request.url ?? '/');
    const parameters = new URLSearchParams(query);
    if (path === `${API}/enter`) return send(response, enter(request, parameters, this.meetings));
    if (path === API || path.startsWith(`${API}/`)) {
      return this.#api.handle(path.slice(API.length), query, request, response);
    }
    if (path.startsWith(`${CONTROL}/`)) {
      return send(response, await control(path.slice(CONTROL.length), query, request, this));
    }
    return send(response, (await this.#page(path, parameters, request)) ?? html('<h1>404</h1>', 404));
  }

  async #page(path: string, parameters: URLSearchParams, request: IncomingMessage): Promise<Reply | undefined> {
    if (path === '/') return frontPage();
    if (path === '/favicon.ico') return { status: 204, type: 'image/x-icon', body: '' };
    if (path === '/html5client/guestWait') return guestWait(request, parameters, this.meetings);
    if (path === '/html5client/' || path === '/html5client/join') return clientPage(this.meetings, parameters);
    return script(path);
  }
}

/** Path and query of a request, the query as it came. */
function split(url: string): [string, string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}
