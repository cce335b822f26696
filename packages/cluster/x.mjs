import { connect } from '@nats-io/transport-node';
import { Kvm } from '@nats-io/kv';
const nc = await connect({ servers: '127.0.0.1:14223', user: 'node', pass: 'a' });
try { const b = await new Kvm(nc).create('sluice-x', { history: 1 }); console.log('created'); console.log(await b.put('a', '1')); } catch (e) { console.log('ERR', e.message, e.name); }
await nc.close();
