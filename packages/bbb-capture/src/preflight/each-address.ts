import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { isIP, isIPv6 } from 'node:net';
import { type Finding, failed, messageOf, ok, warning } from '@sluice/core';

const MOST_BYTES = 64 * 1024;

export interface AddressOptions {
  /** Of the API. */
  readonly url: string;
  /** That the name leads to. */
  readonly addresses: readonly string[];
  /** Under which others reach BigBlueButton: from inside its network, only hairpin NAT leads there. */
  readonly external: readonly string[];
  readonly timeoutMs: number;
}

/** Whether the API answers at each of its addresses, and from inside at those that it has outside. */
export async function addressFindings({ url, addresses, external, timeoutMs }: AddressOptions): Promise<Finding[]> {
  const findings = [...new Set([...addresses, ...external])].map(async (address): Promise<Finding> => {
    const isExternal = external.includes(address);
    const check = `API at ${address}${isExternal ? ' (from inside to outside, hairpin NAT)' : ''}`;
    const fault = await faultAt(url, address, timeoutMs);
    if (fault === undefined) return ok(check, 'answers');
    if (isExternal) {
      const advice =
        'Let the router in front lead its own address back in (hairpin NAT), or give the name the inner address in /etc/hosts.';
      return failed(check, fault, advice);
    }
    return warning(check, fault, 'Some connections will fail: take the address out of DNS, or mend the way to it.');
  });
  if (external.length === 0) {
    const advice = 'From a machine in the network of BigBlueButton: --external-ip ADDRESS, the one others reach it by.';
    findings.push(Promise.resolve(warning('hairpin NAT', 'not tried: no outer address is named', advice)));
  }
  return Promise.all(findings);
}

/** Asks one address for the API, by its name, and says what is wrong with the answer. */
async function faultAt(url: string, address: string, timeoutMs: number): Promise<string | undefined> {
  const { protocol, hostname, port, pathname, host } = new URL(url);
  const name = hostname.replace(/^\[|\]$/g, '');
  const request = protocol === 'https:' ? requestSecure : requestPlain;
  try {
    const text = await new Promise<string>((done, fail) => {
      const asking = request({
        host: address,
        family: isIPv6(address) ? 6 : 4,
        port: port === '' ? undefined : Number(port),
        path: pathname,
        headers: { host },
        agent: false,
        signal: AbortSignal.timeout(timeoutMs),
        ...(isIP(name) === 0 ? { servername: name } : {}),
      });
      asking.once('error', fail);
      asking.once('response', (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
          if (body.length > MOST_BYTES) response.destroy(new Error('the answer is too long'));
        });
        response.once('error', fail);
        response.once('end', () => done(body));
      });
      asking.end();
    });
    return text.includes('<response>') ? undefined : 'something else answers there';
  } catch (error) {
    const isLate = error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
    return isLate ? `no answer within ${timeoutMs} ms` : messageOf(error);
  }
}
