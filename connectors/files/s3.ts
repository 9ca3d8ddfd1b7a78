/**
 * Files in a bucket of an S3 server (MinIO, Garage, AWS, …): `<prefix><tenant>/<hash of the name>`. The bucket is made with
 * versioning where it is missing. A server that is away stops nothing at the start: each call says so until it is back.
 */
import { S3mini, S3NetworkError, S3ServiceError } from 's3mini';
import { ConfigError, NotFoundError, UnavailableError } from '../../engine/errors.ts';
import { checkedPath, isPath, type MovableFiles, pathOf } from './place.ts';

const TIMEOUT_MS = 30_000;
const PING_TIMEOUT_MS = 1500;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PAGE = 1000;
/** Where buckets are made that name no region; there naming it is a fault. */
const HOME_REGION = 'us-east-1';

export type S3Address = {
  endpoint: string;
  bucket: string;
  region: string;
  prefix: string;
  access_key: string;
  secret_key: string;
};

/**
 * `s3://KEY:SECRET@host:9000/bucket?region=eu-central-1&prefix=box1/`, `s3s://…` over TLS.
 * @throws ConfigError that never repeats the address, for it holds a secret
 */
export function parseS3Url(url: string): S3Address {
  const wrong = (what: string) =>
    new ConfigError(`files ${what}.`, 'Write s3://KEY:SECRET@host:9000/bucket, or s3s://… over TLS.');
  if (!/^s3s?:\/\//.test(url) || !URL.canParse(url)) throw wrong('is no address of an S3 server');
  const { protocol, host, username, password, pathname, searchParams } = new URL(url);
  const bucket = pathname.slice(1);
  if (!host || !BUCKET.test(bucket)) throw wrong('names no bucket');
  if (!username || !password) throw wrong('holds no key and secret');
  const prefix = searchParams.get('prefix') ?? '';
  if (!/^([A-Za-z0-9._-]+\/)*$/.test(prefix)) throw wrong('has a prefix that does not end in a slash');
  return {
    ...{ bucket, prefix, region: searchParams.get('region') ?? HOME_REGION },
    endpoint: `${protocol === 's3s:' ? 'https' : 'http'}://${host}/${bucket}`,
    access_key: decodeURIComponent(username),
    secret_key: decodeURIComponent(password),
  };
}

/** Nothing is asked of the server yet. @throws ConfigError see parseS3Url */
export function createS3Files(url: string, timeout_ms = TIMEOUT_MS): MovableFiles {
  const address = parseS3Url(url);
  const clientFor = (requestAbortTimeout: number) =>
    new S3mini({
      ...{ endpoint: address.endpoint, region: address.region, requestAbortTimeout, fetch: withoutHomeRegion },
      ...{ accessKeyId: address.access_key, secretAccessKey: address.secret_key },
    });
  const [client, probe] = [clientFor(timeout_ms), clientFor(PING_TIMEOUT_MS)];
  const keyOf = (path: string) => address.prefix + path;
  let made: Promise<void> | null = null;
  const ready = () => {
    made ??= makeBucket(client, address.bucket).catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
  const asked = <T>(work: () => Promise<T>): Promise<T> =>
    translated(address, async () => {
      await ready();
      return work();
    });
  const get = (path: string, name: string) =>
    asked(async () => {
      const bytes = await client.getObjectArrayBuffer(keyOf(path));
      if (bytes === null) {
        // A bucket that is gone answers in the same way; a file that is there must not look as if it were not.
        if (!(await client.bucketExists())) throw new UnavailableError(`The bucket ${address.bucket} is gone.`, REMEDY);
        throw new NotFoundError(`There is no file ${name}.`, 'It may have been removed.');
      }
      return new Uint8Array(bytes);
    });
  const put = (path: string, bytes: Uint8Array) =>
    asked(async () => {
      await client.putObject(keyOf(path), Buffer.from(bytes), 'application/octet-stream');
    });
  return {
    write: async (tenant, name, bytes) => put(pathOf(tenant, name), bytes),
    read: async (tenant, name) => get(pathOf(tenant, name), name),
    async remove(tenant, name) {
      const path = pathOf(tenant, name);
      await asked(() => client.deleteObject(keyOf(path)));
    },
    paths: () => asked(() => listPaths(client, address.prefix)),
    readPath: async (path) => get(checkedPath(path), path),
    writePath: async (path, bytes) => put(checkedPath(path), bytes),
    ping: () =>
      translated(address, async () => {
        if (!(await probe.bucketExists())) await ready();
        return `the bucket ${address.bucket} answers`;
      }),
    async close() {},
  };
}

/** Another box may make it at the same time; who may not make buckets may still use one. */
async function makeBucket(client: S3mini, bucket: string): Promise<void> {
  // Asked first because it tells a refused key, which the next two take for a bucket that is not there.
  await client.getBucketVersioning();
  if (await client.bucketExists()) return;
  await client.createBucket();
  if (!(await client.bucketExists()))
    throw new UnavailableError(`There is no bucket ${bucket}, and it could not be made.`, REMEDY);
  await client.setBucketVersioning('Enabled').catch((error: unknown) => {
    // Servers without versions are usable; what is overwritten is then gone.
    if (!(error instanceof S3ServiceError) || error.status === 403) throw error;
  });
}

/** The client names the region of every bucket it makes; its signature does not cover that. */
const withoutHomeRegion: typeof fetch = (input, init) => {
  if (!(typeof init?.body === 'string' && init.body.includes(`<LocationConstraint>${HOME_REGION}<`)))
    return fetch(input, init);
  const headers = new Headers(init.headers);
  headers.delete('content-length');
  return fetch(input, { ...init, headers, body: null });
};

async function listPaths(client: S3mini, prefix: string): Promise<string[]> {
  const found: string[] = [];
  let token: string | undefined;
  do {
    const page = await client.listObjectsPaged('/', prefix, PAGE, token);
    for (const { Key } of page?.objects ?? []) found.push(Key.slice(prefix.length));
    token = page?.nextContinuationToken;
  } while (token !== undefined);
  return found.filter(isPath);
}

const REMEDY = 'See docs/OPERATIONS.md, "The file store".';

async function translated<T>({ bucket }: S3Address, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'remedy' in error) throw error;
    if (error instanceof S3ServiceError && (error.status === 403 || error.status === 401))
      throw new UnavailableError(`The file store refuses our key for the bucket ${bucket}.`, REMEDY, { cause: error });
    if (!(error instanceof S3ServiceError || isNoAnswer(error))) throw error;
    // The client's own words may name the address with everything in it.
    const why = error instanceof S3ServiceError ? `it answered ${error.status}` : 'no answer';
    throw new UnavailableError(`The file store with the bucket ${bucket} does not work (${why}).`, REMEDY, {
      cause: error,
    });
  }
}

/** `fetch` says `fetch failed` with the cause beside, and a deadline is a TimeoutError. */
function isNoAnswer(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error instanceof S3NetworkError || error.cause !== undefined || /Timeout|Abort/.test(error.name);
}
