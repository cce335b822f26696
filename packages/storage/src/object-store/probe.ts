import { createHash, randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { ObjectStoreError } from './errors.js';
import { ObjectStore, type ObjectStoreSettings } from './object-store.js';

const BYTES = Buffer.from('This object tests whether recordings can be kept here. It may be deleted.\n');

/**
 * Tries whether recordings can be kept in the bucket of these settings: a small object is put, read and deleted again,
 * and an upload in parts is begun and given up.
 *
 * @throws {ObjectStoreError} of what can't be done
 */
export async function probeObjectStore(settings: ObjectStoreSettings): Promise<void> {
  const store = new ObjectStore(() => settings);
  try {
    const at = { bucket: store.bucket, key: `${settings.prefix}.sluice-doctor-${randomUUID()}` };
    const sha256 = createHash('sha256').update(BYTES).digest('hex');
    const labels = { contentType: 'text/plain', sha256 };
    await store.put(at, { bytes: BYTES, sha256 }, labels);
    let read: Buffer;
    try {
      read = await buffer(await store.read(at, { start: 0, end: BYTES.length - 1 }));
    } finally {
      await store.delete(at);
    }
    if (!read.equals(BYTES))
      throw new ObjectStoreError('mismatch', `${at.key} was read with other bytes than were put.`);
    if ((await store.head(at)) !== undefined) {
      throw new ObjectStoreError('mismatch', `${at.key} was deleted, and is still there.`);
    }
    await store.abort(at, await store.begin(at, labels));
  } finally {
    store.close();
  }
}
