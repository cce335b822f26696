import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const openssl = (args: readonly string[]) => promisify(execFile)('openssl', args);
const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Files of a certificate, and of who signed it. */
export interface TestCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** Makes a certificate for `localhost` and 127.0.0.1, signed by an authority that is made for it. */
export async function makeTestCertificate(directory: string, { days = 90 } = {}): Promise<TestCertificate> {
  const [caFile, caKey] = [join(directory, 'ca.pem'), join(directory, 'ca.key')];
  const [certFile, keyFile] = [join(directory, `cert-${days}.pem`), join(directory, `key-${days}.pem`)];
  await openssl(['req', '-x509', ...CURVE, '-days', '3650', '-subj', '/CN=Test CA', '-out', caFile, '-keyout', caKey]);
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const signed = ['-CA', caFile, '-CAkey', caKey, '-days', String(days), '-addext', 'basicConstraints=CA:FALSE'];
  await openssl(['req', '-x509', ...CURVE, ...names, ...signed, '-out', certFile, '-keyout', keyFile]);
  return { certFile, keyFile, caFile };
}
