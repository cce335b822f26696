import { z } from 'zod';
import { count, file, httpUrl, seconds, secret, urls } from './fields.js';

export const auth = z.strictObject({
  jwt: z
    .strictObject({
      secret: secret(32).describe('Shared secret of HS256 tokens, 32 characters or more.'),
      publicKeyFile: file().describe('PEM file with the public key of RS256 or ES256 tokens.'),
      jwksUrl: httpUrl().optional().describe('Where the issuer publishes its keys (JWKS), for RS256 and ES256 tokens.'),
      issuer: z.string().optional().describe('`iss` that tokens must have.'),
      audience: z.string().optional().describe('`aud` that tokens must have.'),
      leewaySeconds: seconds(5, 300).describe('Difference of clocks that is tolerated.'),
    })
    .prefault({}),
  signing: z
    .strictObject({
      secret: secret(32).describe(
        'Secret of signed URLs (`?sign=`), 32 characters or more. Where it is missing, one is made at the first start and kept in the data directory.',
      ),
    })
    .prefault({}),
  cdn: z
    .strictObject({
      secret: secret(32).describe(
        'Secret, 32 characters or more, of the tokens that a CDN checks itself: it is known to the CDN, too.',
      ),
    })
    .prefault({}),
  wmsAuth: z
    .strictObject({
      key: secret(1).describe('Key of WMSAuth tokens (`?wmsAuthSign=`). They are refused where it is missing.'),
      toleranceSeconds: seconds(90, 3600).describe("How far the issuer's clock may be off."),
    })
    .prefault({}),
  http: z
    .strictObject({
      url: httpUrl()
        .optional()
        .describe('Asked, by POST of JSON, about credentials that nothing else accepts; 2xx lets them in.'),
      timeoutMs: count(5000, 60_000).describe('No answer by then is a no.'),
      recheckSeconds: seconds(60, 86_400).describe('How often it is asked again about sessions under way. 0: never.'),
    })
    .prefault({}),
  failuresPerMinute: count(30, 100_000).describe(
    'Wrong credentials from one address, beyond which it is refused for a while, whatever it shows.',
  ),
});

export const callbacks = z.strictObject({
  onConnect: urls().describe('Asked when an RTMP client connects. Any answer but `0` or `{"code":0}` refuses it.'),
  onPublish: urls().describe('Asked before a stream is published.'),
  onPlay: urls().describe('Asked before a stream is watched.'),
  onClose: urls().describe('Told when an RTMP client has gone.'),
  onUnpublish: urls().describe('Told when a publisher has gone.'),
  onStop: urls().describe('Told when a viewer has gone.'),
  onHls: urls().describe('Told of each HLS segment.'),
  onDvr: urls().describe('Told of each recorded file that is whole.'),
  onRecording: urls().describe(
    'Told of all that happens to recordings (`recording.started`, `.paused`, `.resumed`, `.ended`, `.file`, `.damaged`, `.removed`, `.uploaded`), always in our own form.',
  ),
  format: z
    .enum(['srs', 'sluice'])
    .default('srs')
    .describe('Shape of the body: as SRS sends it, or our own, which names the session and why it ended.'),
  secret: secret(16).describe('Signs each callback (`Sluice-Signature`, HMAC-SHA256 of time and body).'),
  timeoutMs: count(5000, 60_000).describe(
    'No answer by then is a no from those that are asked, and is tried again with those that are told.',
  ),
  retrySeconds: seconds(3600, 604_800).describe(
    'How long a callback that only tells is tried again, over restarts too.',
  ),
});

export const sync = z.strictObject({
  url: httpUrl().optional().describe('Where the sessions are POSTed to; the answer lists who is to be cut off.'),
  intervalSeconds: z.number().min(1).max(3600).default(10).describe('How often.'),
  format: z.enum(['json', 'xml']).default('json').describe('`xml` is the shape that WMSPanel handlers read.'),
  secret: secret(16).describe('Signs each sync, as `callbacks.secret` does callbacks.'),
  denySeconds: z
    .number()
    .min(1)
    .max(31_536_000)
    .default(3600)
    .describe('How long those it lists are denied, where the answer does not say.'),
  serverId: z.string().optional().describe("This server's name in each sync; its host name where it is missing."),
});

export const sharing = z.strictObject({
  policy: z
    .enum(['off', 'report', 'cut-newest', 'cut-oldest'])
    .default('off')
    .describe('What happens to an account that is watched from too many places at once.'),
  maxAddresses: count(2, 1000).describe('Addresses of one viewer id inside the window.'),
  maxUserAgents: count(4, 1000).describe('User agents of one viewer id inside the window.'),
  windowSeconds: z.number().min(1).max(86_400).default(60).describe('The window.'),
});
