import { describe, expect, it } from 'vitest';
import { type ConfigEntry, configEntries, environmentName } from './entries.js';
import { ConfigError, loadConfig } from './load.js';

/** A valid value that is not the default. */
function otherValueOf({ type, allowed, default: usual }: ConfigEntry): string {
  if (type === 'boolean') return String(!usual);
  if (type === 'number') {
    const [, least = '', most = ''] = /, (\S+) to (\S+)$/.exec(allowed) ?? [];
    return Number(most) === usual ? least : most;
  }
  if (allowed === 'addresses and CIDR blocks') return '192.0.2.1,2001:db8::/32';
  if (/^URLs? \(http/.test(allowed)) return 'https://example.org/x';
  if (allowed === 'addresses') return '192.0.2.1,2001:db8::1';
  if (allowed === 'URLs (stun, turn, turns)') return 'stun:example.org:3478,turns:example.org:443?transport=tcp';
  if (allowed === 'URL (stun)') return 'stun:example.org:3478';
  if (allowed === 'URLs (nats, tls)') return 'nats://10.0.0.1:4222';
  if (allowed.startsWith('base URLs')) return 'https://b.example,rtmp://b.example';
  if (allowed.startsWith('URLs (srt,')) return 'srt://example.org:9000';
  if (allowed.startsWith('URL (udp')) return 'udp://example.org:514';
  if (allowed.startsWith('texts of')) return `${'x'.repeat(16)},${'y'.repeat(16)}`;
  if (allowed.startsWith('text of')) return 'x'.repeat(64);
  if (allowed.startsWith('RTMP origins')) return 'rtmp://a.example,rtmps://b.example:8443';
  if (allowed.startsWith('origins')) return 'https://a.example,https://b.example';
  const words = allowed.split(', ');
  return words.length === 1 ? 'something' : (words.find((word) => word !== usual) ?? '');
}

const at = (tree: unknown, key: string): unknown =>
  key.split('.').reduce<unknown>((branch, name) => (branch as Record<string, unknown>)[name], tree);

// The schema wants these two together, so they have a test of their own.
const PAIR = ['tls.certFile', 'tls.keyFile'];
const settable = configEntries().filter(({ environment, key }) => environment !== undefined && !PAIR.includes(key));

describe('the environment', () => {
  it.each(settable.map((entry) => [entry.environment ?? '', entry] as const))('sets a value by %s', (name, entry) => {
    const text = otherValueOf(entry);
    const value = at(loadConfig({ environment: { [name]: text } }), entry.key);
    expect(String(value)).toBe(text);
    expect(value).not.toBe(entry.default);
    // It wins over the file, where the same key says something else.
    const file = entry.key.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), entry.default);
    const both = loadConfig({ file: { name: 'x.yml', text: JSON.stringify(file) }, environment: { [name]: text } });
    expect(String(at(both, entry.key))).toBe(text);
  });

  it('sets certificate and key together, and neither alone', () => {
    const [certificate = '', key = ''] = PAIR.map(environmentName);
    expect(loadConfig({ environment: { [certificate]: 'c', [key]: 'k' } }).tls).toMatchObject({
      certFile: 'c',
      keyFile: 'k',
    });
    expect(() => loadConfig({ environment: { [certificate]: 'c' } })).toThrow(ConfigError);
  });

  it('names a variable that is none of its own, and the one that a bad value came from', () => {
    expect(() => loadConfig({ environment: { SLUICE_RTPM_PORT: '1' } })).toThrow(/SLUICE_RTPM_PORT: no such setting/);
    expect(() => loadConfig({ environment: { SLUICE_RTMP_PORT: 'x' } })).toThrow(
      /rtmp\.port \(from SLUICE_RTMP_PORT\): "x" is not valid; allowed: whole number, 0 to 65535/,
    );
    expect(() => loadConfig({ environment: { OTHER: 'x', SLUICE_CONFIG: 'x.yml' } })).not.toThrow();
  });
});
