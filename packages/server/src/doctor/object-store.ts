import { type Config, type Finding, failed, messageOf, ok, warning } from '@sluice/core';
import { ObjectStoreError, probeObjectStore } from '@sluice/storage';

/** Whether recordings can be put into the object store, read and deleted; nothing where none is configured. */
export async function objectStoreFindings({ recording: { s3 } }: Config): Promise<Finding[]> {
  const { bucket, endpoint } = s3;
  if (bucket === undefined) return [];
  const check = `object store, bucket ${bucket}`;
  const findings: Finding[] = [];
  if (endpoint?.startsWith('http:')) {
    const found = `${new URL(endpoint).host} is spoken to without TLS: recordings can be seen on the way`;
    findings.push(warning(`${check}, encryption`, found, 'Set recording.s3.endpoint to an https address.'));
  }
  try {
    await probeObjectStore(s3);
    findings.push(ok(check, 'an object could be put, read and deleted'));
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error;
    findings.push(failed(check, messageOf(error), 'Recordings stay on this machine until it can.'));
  }
  return findings;
}
