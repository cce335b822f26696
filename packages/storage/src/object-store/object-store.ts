import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { ByteRange, Config } from '@sluice/core';
import { ObjectStoreError } from './errors.js';
import { explained } from './explained.js';

export type ObjectStoreSettings = Config['recording']['s3'];

/** Where an object is. */
export interface ObjectAddress {
  readonly bucket: string;
  readonly key: string;
}

/** What a store says of an object. */
export interface ObjectFacts {
  readonly bytes: number;
  /** That of the recorded file, as it was given when the object was made. */
  readonly sha256: string | undefined;
}

/** What is told of an object when it is made. */
export interface ObjectLabels {
  readonly contentType: string;
  readonly sha256: string | undefined;
}

/** Bytes and their SHA-256 in hex, by which the store refuses what was altered on the way. */
export interface SignedBytes {
  readonly bytes: Buffer;
  readonly sha256: string;
}

type Sdk = typeof import('@aws-sdk/client-s3');

/** What a call is made by. */
interface Call {
  readonly client: S3Client;
  readonly sdk: Sdk;
  readonly until: { readonly abortSignal: AbortSignal };
}

const CONNECT_TIMEOUT_MS = 10_000;
/** A connection on which nothing moves for so long is dead. */
const SILENCE_MS = 60_000;

/**
 * An S3-compatible object store. The SDK is loaded by the first call, as starts without a bucket need none of it, and
 * the connection is made anew where the settings have changed.
 *
 * Every call rejects with an `ObjectStoreError`.
 */
export class ObjectStore {
  readonly #settings: () => ObjectStoreSettings;
  readonly #calls = new Set<AbortController>();
  #isClosed = false;
  #connection: { readonly of: string; readonly client: S3Client } | undefined;

  constructor(settings: () => ObjectStoreSettings) {
    this.#settings = settings;
  }

  get settings(): ObjectStoreSettings {
    return this.#settings();
  }

  /** @throws {ObjectStoreError} `off` */
  get bucket(): string {
    const { bucket } = this.#settings();
    if (bucket === undefined)
      throw new ObjectStoreError('off', 'There is no object store: recording.s3.bucket is not set.');
    return bucket;
  }

  /** What is there; undefined where there is nothing. */
  async head(at: ObjectAddress, signal?: AbortSignal): Promise<ObjectFacts | undefined> {
    try {
      const answer = await this.#ask(
        `for ${at.key}`,
        at,
        ({ client, until, sdk: { HeadObjectCommand } }) => client.send(new HeadObjectCommand(named(at)), until),
        signal,
      );
      return { bytes: answer.ContentLength ?? 0, sha256: answer.Metadata?.sha256 };
    } catch (error) {
      if (error instanceof ObjectStoreError && error.code === 'missing') return undefined;
      throw error;
    }
  }

  /** Puts a whole object, at most 5 GiB. */
  async put(at: ObjectAddress, body: SignedBytes, labels: ObjectLabels, signal?: AbortSignal): Promise<void> {
    await this.#ask(
      `to put ${at.key}`,
      at,
      ({ client, until, sdk: { PutObjectCommand } }) => {
        const command = new PutObjectCommand({ ...named(at), ...labelled(labels), Body: body.bytes });
        command.middlewareStack.add(signing(body.sha256), { step: 'build' });
        return client.send(command, until);
      },
      signal,
    );
  }

  /** Begins an upload in parts. @returns its id */
  async begin(at: ObjectAddress, labels: ObjectLabels, signal?: AbortSignal): Promise<string> {
    const { UploadId } = await this.#ask(
      `to begin ${at.key}`,
      at,
      ({ client, until, sdk: { CreateMultipartUploadCommand } }) =>
        client.send(new CreateMultipartUploadCommand({ ...named(at), ...labelled(labels) }), until),
      signal,
    );
    return given(UploadId, 'the id of an upload');
  }

  /** @param number from 1 on. @returns its ETag */
  async putPart(
    at: ObjectAddress,
    uploadId: string,
    number: number,
    body: SignedBytes,
    signal?: AbortSignal,
  ): Promise<string> {
    const { ETag } = await this.#ask(
      `to put part ${number} of ${at.key}`,
      at,
      ({ client, until, sdk: { UploadPartCommand } }) => {
        const command = new UploadPartCommand({
          ...named(at),
          UploadId: uploadId,
          PartNumber: number,
          Body: body.bytes,
          ContentLength: body.bytes.length,
        });
        command.middlewareStack.add(signing(body.sha256), { step: 'build' });
        return client.send(command, until);
      },
      signal,
    );
    return given(ETag, 'the ETag of a part');
  }

  /** Makes an object of all parts. @param etags of the parts, in their order */
  async complete(at: ObjectAddress, uploadId: string, etags: readonly string[], signal?: AbortSignal): Promise<void> {
    const Parts = etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
    await this.#ask(
      `to complete ${at.key}`,
      at,
      ({ client, until, sdk: { CompleteMultipartUploadCommand } }) =>
        client.send(
          new CompleteMultipartUploadCommand({ ...named(at), UploadId: uploadId, MultipartUpload: { Parts } }),
          until,
        ),
      signal,
    );
  }

  /** Gives an upload in parts up: its parts are freed. */
  async abort(at: ObjectAddress, uploadId: string): Promise<void> {
    await this.#ask(`to give up ${at.key}`, at, ({ client, until, sdk: { AbortMultipartUploadCommand } }) =>
      client.send(new AbortMultipartUploadCommand({ ...named(at), UploadId: uploadId }), until),
    );
  }

  /** Bytes of an object, as they come. Destroy it to read no more. */
  async read(at: ObjectAddress, { start, end }: ByteRange): Promise<Readable> {
    const { Body, ContentLength } = await this.#ask(
      `for bytes ${start} to ${end} of ${at.key}`,
      at,
      ({ client, until, sdk: { GetObjectCommand } }) =>
        client.send(new GetObjectCommand({ ...named(at), Range: `bytes=${start}-${end}` }), until),
    );
    const body = given(Body, 'a body') as Readable;
    if (ContentLength === end - start + 1) return body;
    body.destroy();
    throw new ObjectStoreError(
      'mismatch',
      `${at.key} was asked for bytes ${start} to ${end}, and ${ContentLength} bytes are the answer.`,
    );
  }

  /** A URL by which anybody can read an object, ranges included, for so many seconds. Nothing is asked of the store. */
  async presign(at: ObjectAddress, seconds: number, contentType: string): Promise<string> {
    return this.#ask(`to sign a URL of ${at.key}`, at, async ({ client, sdk: { GetObjectCommand } }) => {
      const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
      const command = new GetObjectCommand({ ...named(at), ResponseContentType: contentType });
      return getSignedUrl(client, command, { expiresIn: seconds });
    });
  }

  /** Deletes an object, or does nothing where there is none. */
  async delete(at: ObjectAddress): Promise<void> {
    await this.#ask(`to delete ${at.key}`, at, ({ client, until, sdk: { DeleteObjectCommand } }) =>
      client.send(new DeleteObjectCommand(named(at)), until),
    );
  }

  /** Ends calls under way, and cuts its connections. */
  close(): void {
    this.#isClosed = true;
    for (const call of this.#calls) call.abort();
    this.#connection?.client.destroy();
    this.#connection = undefined;
  }

  /** A call ends when its caller or the whole store is done with it. */
  async #ask<T>(
    wish: string,
    { bucket }: ObjectAddress,
    ask: (call: Call) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const { endpoint, secretAccessKey = '', accessKeyId = '' } = this.#settings();
    const call = new AbortController();
    const stop = () => call.abort();
    this.#calls.add(call);
    signal?.addEventListener('abort', stop);
    try {
      const sdk = await import('@aws-sdk/client-s3');
      if (signal?.aborted || this.#isClosed) stop();
      return await ask({ client: this.#connect(sdk), sdk, until: { abortSignal: call.signal } });
    } catch (error) {
      const secrets = [secretAccessKey, accessKeyId].filter((secret) => secret !== '');
      const host = endpoint === undefined ? 'AWS' : new URL(endpoint).host;
      throw explained(error, { wish, bucket, endpoint: host, secrets });
    } finally {
      this.#calls.delete(call);
      signal?.removeEventListener('abort', stop);
    }
  }

  #connect(sdk: Sdk): S3Client {
    const { endpoint, region, pathStyle, accessKeyId, secretAccessKey } = this.#settings();
    const of = JSON.stringify([endpoint, region, pathStyle, accessKeyId, secretAccessKey]);
    const before = this.#connection;
    if (before?.of === of) return before.client;
    const client = new sdk.S3Client({
      region,
      forcePathStyle: pathStyle,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...keyOf(this.#settings()),
      // Bodies are guarded by their signature. Checksums of a newer kind are refused by many stores that are not AWS.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, socketTimeout: SILENCE_MS },
    });
    this.#connection = { of, client };
    before?.client.destroy();
    return client;
  }
}

/** Without a key, the SDK looks for one as the AWS tools do. */
function keyOf({ accessKeyId, secretAccessKey }: ObjectStoreSettings) {
  if (accessKeyId === undefined && secretAccessKey === undefined) return {};
  if (accessKeyId !== undefined && secretAccessKey !== undefined)
    return { credentials: { accessKeyId, secretAccessKey } };
  const missing = accessKeyId === undefined ? 'accessKeyId' : 'secretAccessKey';
  throw new ObjectStoreError(
    'refused',
    `recording.s3.${missing} is not set: set it, or neither of the key's two halves, to use the key that the AWS tools find.`,
  );
}

function named({ bucket, key }: ObjectAddress) {
  return { Bucket: bucket, Key: key };
}

function labelled({ contentType, sha256 }: ObjectLabels) {
  return { ContentType: contentType, ...(sha256 === undefined ? {} : { Metadata: { sha256 } }) };
}

function given<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new ObjectStoreError('failed', `The object store's answer is without ${what}.`);
  return value;
}

/** Gives the hash of a body to the signer, which would compute it in one go, while no stream could do anything. */
function signing(sha256: string) {
  type Request = { readonly request: unknown };
  return <Args extends Request, Result>(next: (args: Args) => Promise<Result>) =>
    (args: Args): Promise<Result> => {
      (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = sha256;
      return next(args);
    };
}
