import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Directory, memoryStore, silentLogger } from '@sluice/core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Election } from './election.js';
import { PendingChanges } from './pending-changes.js';
import { SharedBucket } from './shared-bucket.js';

interface Thing {
  readonly id: string;
  readonly value: number;
}

const isThing = (value: unknown): value is Thing =>
  typeof value === 'object' && value !== null && 'id' in value && 'value' in value && typeof value.value === 'number';

describe('buckets of a real nats-server', () => {
  let directory: string;
  let nats: ChildProcess;
  let url: string;
  let bucketCount = 0;
  const ends: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-bucket-'));
    nats = spawn('nats-server', ['-a', '127.0.0.1', '-p', '-1', '-js', '-sd', directory], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    nats.stderr?.on('data', (chunk) => {
      log += chunk;
    });
    await vi.waitFor(() => expect(log).toContain('Server is ready'), 15_000);
    url = /127\.0\.0\.1:\d+/.exec(log)?.[0] ?? '';
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  afterAll(async () => {
    const gone = new Promise((resolve) => nats.once('exit', resolve));
    nats.kill('SIGKILL');
    await gone;
    await rm(directory, { recursive: true, force: true });
  });

  async function connected(): Promise<NatsConnection> {
    const connection = await connect({ servers: url });
    ends.push(() => connection.close());
    return connection;
  }

  /** One node's things, its bucket, and the file of what it has still to tell. */
  async function node(name: string, bucket: string, things: readonly Thing[] = []) {
    const records = await Directory.load<Thing>(memoryStore());
    for (const thing of things) await records.adopt(thing.id, thing);
    const adopted: string[] = [];
    const make = () =>
      new SharedBucket({
        bucket,
        kinds: [
          {
            name: 'things',
            records: records as unknown as Directory<{ readonly id: string }>,
            read: (value) => (isThing(value) ? value : undefined),
            isShared: (id) => !id.startsWith('own'),
            isOver: (record, now) => isThing(record) && record.value < now,
          },
        ],
        pending: new PendingChanges(join(directory, `${name}-${bucket}.json`), silentLogger),
        onAdopted: (kind) => adopted.push(kind),
        log: silentLogger,
      });
    let shared = make();
    ends.push(() => shared.close());
    return {
      records,
      adopted,
      get shared() {
        return shared;
      },
      restart: async () => {
        await shared.close();
        shared = make();
      },
      values: () => Object.fromEntries(records.list().map(({ id, value }) => [id, value])),
    };
  }
  const bucketName = () => `test-${++bucketCount}`;

  it('bring each change to all, and leave alone what is a node’s own', async () => {
    const bucket = bucketName();
    const [a, b] = [await node('a', bucket, [{ id: 'old', value: 1 }]), await node('b', bucket)];
    await a.shared.begin(new Kvm(await connected()), 1);
    await b.shared.begin(new Kvm(await connected()), 1);
    expect(b.values()).toEqual({ old: 1 });
    await b.records.put({ id: 'new', value: 2 });
    await b.records.put({ id: 'own', value: 3 });
    await vi.waitFor(() => expect(a.values()).toEqual({ old: 1, new: 2 }));
    await a.records.delete('old');
    await vi.waitFor(() => expect(b.values()).toEqual({ new: 2, own: 3 }));
    expect([a.adopted, b.adopted]).toEqual([['things'], ['things', 'things']]);
    await vi.waitFor(() => expect(a.shared.revision).toBe(b.shared.revision));
  });

  it('come to the same when two change one thing at once', async () => {
    const bucket = bucketName();
    const [a, b] = [await node('a', bucket), await node('b', bucket)];
    await a.shared.begin(new Kvm(await connected()), 1);
    await b.shared.begin(new Kvm(await connected()), 1);
    for (let value = 1; value <= 20; value++) {
      await Promise.all([a.records.put({ id: 'x', value }), b.records.put({ id: 'x', value: -value })]);
    }
    await Promise.all([a.shared.idle(), b.shared.idle()]);
    await vi.waitFor(() => expect(a.values()).toEqual(b.values()));
    expect(Math.abs(a.values().x ?? 0)).toBe(20);
  });

  it('take later what was changed while NATS was away, restarts or not', async () => {
    const bucket = bucketName();
    const start = { id: 'kept', value: 1 };
    const [a, b] = [await node('a', bucket, [start, { id: 'gone', value: 1 }]), await node('b', bucket)];
    await a.shared.begin(new Kvm(await connected()), 1);
    await b.shared.begin(new Kvm(await connected()), 1);
    a.shared.pause();
    await a.records.put({ id: 'kept', value: 2 });
    await a.records.delete('gone');
    await b.records.put({ id: 'other', value: 5 });
    await b.shared.idle();
    await a.restart();
    await a.shared.begin(new Kvm(await connected()), 1);
    await vi.waitFor(() => expect(b.values()).toEqual({ kept: 2, other: 5 }));
    expect(a.values()).toEqual(b.values());
  });

  it('forget what has run out', async () => {
    const bucket = bucketName();
    const [a, b] = [await node('a', bucket), await node('b', bucket)];
    const connection = await connected();
    await a.shared.begin(new Kvm(connection), 1);
    await b.shared.begin(new Kvm(await connected()), 1);
    await a.records.put({ id: 'soon', value: 10 });
    await a.records.put({ id: 'late', value: 1000 });
    await vi.waitFor(() => expect(b.values()).toEqual({ soon: 10, late: 1000 }));
    await a.shared.idle();
    await a.shared.tidy(() => jetstreamManager(connection), 100);
    await vi.waitFor(() => expect(b.values()).toEqual({ late: 1000 }));
  });

  it('elect one, and another one as soon as that one goes', async () => {
    const bucket = bucketName();
    const elections = ['a', 'b', 'c'].map(
      (name) => new Election({ bucket, node: name, leaseMs: 1000, present: () => ['a', 'b', 'c'], log: silentLogger }),
    );
    // While nobody can be asked: the smallest one.
    expect(elections.map(({ isElected }) => isElected)).toEqual([true, false, false]);
    for (const election of elections.toReversed()) {
      ends.push(() => election.close());
      await election.begin(new Kvm(await connected()), 1);
    }
    expect(elections.map(({ isElected }) => isElected)).toEqual([false, false, true]);
    await elections[2]?.close();
    const others = () => elections.slice(0, 2).filter(({ isElected }) => isElected).length;
    await vi.waitFor(() => expect(others()).toBe(1), 3000);
  });
});
