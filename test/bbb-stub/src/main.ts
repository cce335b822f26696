// npm run bbb:stub: a BigBlueButton to try a capture with.
import { parseArgs } from 'node:util';
import { BbbStub } from './bbb-stub.js';
import { SKINS } from './skin.js';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8090' },
    skin: { type: 'string', default: '3.0' },
    secret: { type: 'string' },
    locale: { type: 'string', default: 'en' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  say(`A BigBlueButton for tests.
  --port 8090      where it listens, on the loopback interface
  --skin 3.0       generation: ${SKINS.join(', ')}
  --secret TEXT    of the API; by chance by default
  --locale en      or de`);
} else {
  await run();
}

async function run(): Promise<void> {
  const skin = SKINS.find((one) => one === values.skin);
  if (skin === undefined) throw new Error(`--skin ${values.skin} is none of ${SKINS.join(', ')}`);
  const port = Number(values.port);
  const stub = await BbbStub.start({
    port,
    skin,
    ...(values.secret === undefined ? {} : { secret: values.secret }),
  });
  stub.meetings.create({ meetingID: 'demo', name: 'Demo', locale: values.locale === 'de' ? 'de' : 'en' });
  const listening = { 'userdata-bbb_force_listen_only': 'true' };
  say(`BigBlueButton ${skin} (a stub)
  API     ${stub.url}
  secret  ${stub.secret}
  meeting demo (passwords ap, mp)
  join    ${stub.joinUrl({ meetingID: 'demo', fullName: 'You', ...listening })}
  drive   curl -X POST ${stub.origin}/stub/meetings/demo/end`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stub.stop().catch((error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exitCode = 1;
      });
    });
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
