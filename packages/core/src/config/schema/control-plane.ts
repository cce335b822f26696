import { z } from 'zod';
import { count, file, host, httpUrl, list, networks, port, START, seconds, secret, url } from './fields.js';

export const api = z.strictObject({
  enabled: z.boolean().default(true).meta(START).describe('Whether the control API is there.'),
  port: port(1985).describe('TCP port of the control API. 0 takes a free one.'),
  tlsPort: port(1990).describe('TCP port of the control API over TLS; it opens when a certificate is given.'),
  host: host('127.0.0.1').describe('Address to listen on.'),
  token: secret(16).describe('An API key with all rights, for automation.'),
  openReads: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe(
      'Whether streams, sessions and figures can be read without a credential; `auto`: from this machine, while the API listens on loopback only.',
    ),
  allow: networks().describe('Addresses and CIDR blocks that may use the API; empty: all.'),
  deny: networks().describe('Addresses and CIDR blocks that may not.'),
  corsOrigins: list(z.string(), 'origins, as in https://console.example.org').describe(
    'Origins whose pages may use the API.',
  ),
  accessTokenSeconds: z
    .number()
    .min(60)
    .max(86_400)
    .default(600)
    .describe('How long a login lasts before it is renewed by itself.'),
  refreshTokenSeconds: z.number().min(300).max(31_536_000).default(1_209_600).describe('How long it can be renewed.'),
  oidc: z
    .strictObject({
      issuer: httpUrl().optional().describe('Issuer of OIDC bearer tokens that are accepted.'),
      jwksUrl: httpUrl().optional().describe("The issuer's keys; by default found through its discovery document."),
      audience: z.string().optional().describe('`aud` that they must have.'),
      roleClaim: z
        .string()
        .default('roles')
        .describe('The claim that holds `admin`, `operator` or `viewer`; dots lead into objects.'),
    })
    .prefault({}),
});

export const metrics = z.strictObject({
  enabled: z.boolean().default(true).meta(START).describe('Serve `/metrics` on the control API.'),
  perStream: z.boolean().default(false).describe('Series for each stream.'),
  maxStreams: count(200, 10_000).describe('Most streams that get series of their own; the rest are counted together.'),
});

export const audit = z.strictObject({
  file: file()
    .meta(START)
    .describe('JSON lines of what was done by whom; by default `audit.jsonl` in the data directory.'),
  syslog: url('udp', 'tcp', 'tls')
    .optional()
    .meta(START)
    .describe('Where audit lines go in RFC 5424 form: `udp://host:514`, `tcp://host:601`, `tls://host:6514`.'),
});

export const drain = z.strictObject({
  redirect: list(url('http', 'https', 'rtmp', 'rtmps'), 'base URLs (http, https, rtmp, rtmps)').describe(
    'Where publishers and viewers are sent while this server is drained: `https://b.example.org:8088`, `rtmp://b.example.org`; by default the other nodes of its cluster.',
  ),
  viewerSeconds: seconds(10, 3600).describe('Over how long the viewers are sent away, evenly.'),
  publisherSeconds: seconds(30, 86_400).describe('How long publishers may take to leave by themselves.'),
});
