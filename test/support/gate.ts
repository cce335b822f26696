import {
  type AccessRequest,
  type Admission,
  type AuditEntry,
  Bans,
  CredentialChecks,
  EventBus,
  Gate,
  type Identity,
  type Logger,
  loadConfig,
  memoryStore,
  SessionRegistry,
  settingsFor,
} from '@sluice/core';
import { millis } from '@sluice/media';

/** A gate with all that is behind it, whose viewers are who they say they are (`?user=`), and a clock that is held. */
export async function testGate(yaml: string) {
  let config = loadConfig({ file: { name: 'test.yml', text: yaml } });
  const time = { ms: 1_700_000_000_000 };
  const clock = { monotonic: () => millis(time.ms), wall: () => millis(time.ms) };
  const logged: { level: keyof Logger; message: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const write = (level: keyof Logger) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    logged.push({ level, message, fields });
  };
  const log: Logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const audited: Omit<AuditEntry, 'at'>[] = [];
  const audit = { record: (entry: Omit<AuditEntry, 'at'>) => void audited.push(entry) };
  const events = new EventBus(log);
  const registry = new SessionRegistry({ clock, limits: () => config.sessions });
  const bans = await Bans.load(memoryStore(), clock);
  const named = async ({ credentials: { user } }: AccessRequest): Promise<Identity | undefined> =>
    user === undefined ? undefined : { kind: 'password', viewer: user, credential: `token-of-${user}` };
  const gate = new Gate({
    clock,
    events,
    log,
    registry,
    bans,
    settingsFor: (path) => settingsFor(config, path).access,
    adminRule: () => config.api,
    credentials: new CredentialChecks([{ verify: named }]),
    advisors: [],
  });
  /** Why sessions were cut, by their ids. */
  const cut = new Map<string, string>();

  /** Lets a viewer in, who leaves when cut. */
  async function play(user: string | undefined, over: PlayOptions = {}): Promise<Admission & { sent: number }> {
    const { addresses, ...request } = over;
    const admission = await gate.admit({
      action: 'play',
      protocol: 'http-flv',
      path: 'live/show',
      ip: '192.0.2.1',
      userAgent: 'VLC',
      credentials: user === undefined ? {} : { user },
      query: new URLSearchParams(),
      ...request,
    });
    const viewer = { ...admission, sent: 0 };
    admission.bind({
      cut: (reason) => {
        cut.set(admission.session.id, reason);
        admission.close(reason);
      },
      traffic: () => ({ received: 0, sent: viewer.sent }),
      ...(addresses === undefined ? {} : { addresses: () => addresses }),
    });
    return viewer;
  }

  return {
    gate,
    registry,
    bans,
    events,
    audit,
    audited,
    clock,
    time,
    log,
    logged,
    cut,
    play,
    config: () => config,
    configure: (text: string) => {
      config = loadConfig({ file: { name: 'test.yml', text } });
    },
  };
}

export type PlayOptions = Partial<AccessRequest> & {
  /** All that the session has been used from, for protocols where that can be more than one. */
  readonly addresses?: readonly string[];
};
