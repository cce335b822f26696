import { z } from 'zod';
import { file, list, START, secret, url } from './fields.js';

/** What a node may be called: it is shown, and it is in the names of what the nodes tell each other. */
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
/** A prefix of NATS subjects and of the names of buckets. */
const NAMESPACE = /^[a-z0-9][a-z0-9-]{0,30}$/;

export const cluster = z.strictObject({
  nats: z
    .strictObject({
      servers: list(url('nats', 'tls'), 'URLs (nats, tls)')
        .meta(START)
        .describe('NATS servers over which this node is part of a cluster: `nats://10.0.0.1:4222`. Empty: no cluster.'),
      user: z.string().min(1).optional().meta(START).describe('User name at the NATS server.'),
      password: secret(1).meta(START).describe('Password at the NATS server.'),
      token: secret(1).meta(START).describe('Token at the NATS server, where it wants one in place of a user.'),
      nkeySeedFile: file().meta(START).describe('File with the seed of an NKey (`SU…`).'),
      credsFile: file().meta(START).describe('File with JWT and NKey, as `nsc` makes it (`.creds`).'),
      domain: z
        .string()
        .regex(/^[A-Za-z0-9_-]{1,63}$/, { error: 'letters, digits, hyphens and underscores' })
        .optional()
        .meta(START)
        .describe(
          'JetStream domain in which the buckets are, where they are not those of the server itself: behind a leaf node.',
        ),
      tls: z
        .strictObject({
          caFile: file().meta(START).describe("PEM file with the authorities of the NATS server's certificate."),
          certFile: file().meta(START).describe('PEM file with the certificate that this node shows.'),
          keyFile: file().meta(START).describe("PEM file with that certificate's private key."),
        })
        .prefault({}),
    })
    .prefault({}),
  node: z
    .string()
    .regex(NODE_NAME, { error: 'letters, digits, dots, hyphens and underscores, 63 at most' })
    .optional()
    .meta(START)
    .describe("This node's name, which no other node may have; by default the host's."),
  namespace: z
    .string()
    .regex(NAMESPACE, { error: 'small letters, digits and hyphens, 31 at most' })
    .default('sluice')
    .meta(START)
    .describe('Begins all subjects and buckets, so that several clusters can share one NATS account.'),
  advertise: list(url('http', 'https', 'rtmp', 'rtmps'), 'base URLs (http, https, rtmp, rtmps)').describe(
    'Where viewers and publishers reach this node: `https://a.example.org:8088`, `rtmp://a.example.org`. A node that is drained sends them there.',
  ),
  replicas: z
    .number()
    .int()
    .min(1)
    .max(5)
    .default(1)
    .meta(START)
    .describe('Copies of the buckets that this node makes in NATS: 3 where NATS itself is a cluster of three or more.'),
  leaseSeconds: z
    .number()
    .min(2)
    .max(120)
    .default(6)
    .meta(START)
    .describe(
      'A node that has not been heard of for so long is taken for dead; its streams can be published elsewhere.',
    ),
});
