/**
 * The part of the S3 REST API that file stores use, in memory. It checks every request's signature (AWS Signature
 * Version 4, with the payload's hash), so that a client that signs wrongly is refused as by a real server.
 */
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export const S3_KEY = 'luna-test';
export const S3_SECRET = 'secret/with+signs=';

export type FakeS3 = {
  /** For `createS3Files`: of a bucket that is not there yet. */
  url: string;
  /** Names and versions (newest last) of what the bucket holds. */
  objects: Map<string, Buffer[]>;
  versioning: () => boolean;
  /** Requests that were refused, and why. */
  refused: string[];
  /** The next requests are answered with this status; null: as usual. */
  fail(status: number | null): void;
  dropBucket(): void;
  close(): Promise<void>;
};

type State = { bucket: boolean; versioning: boolean; objects: Map<string, Buffer[]> };
type Answer = { status: number; body?: Buffer | string };

export async function startFakeS3(page = 1000): Promise<FakeS3> {
  const state: State = { bucket: false, versioning: false, objects: new Map() };
  const refused: string[] = [];
  let failing: number | null = null;
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const fault = signatureFault(request, body);
    if (fault) refused.push(`${request.method} ${request.url}: ${fault}`);
    if (failing !== null) send(response, errorOf(failing, 'InternalError'));
    else if (fault) send(response, errorOf(403, 'SignatureDoesNotMatch'));
    else send(response, answer(state, request, body, page));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `s3://${S3_KEY}:${encodeURIComponent(S3_SECRET)}@127.0.0.1:${port}/luna-files`,
    ...{ objects: state.objects, versioning: () => state.versioning, refused },
    fail(status) {
      failing = status;
    },
    dropBucket() {
      state.bucket = false;
      state.objects.clear();
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, { status, body = '' }: Answer): void {
  const type = typeof body === 'string' ? 'application/xml' : 'application/octet-stream';
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function answer(state: State, request: IncomingMessage, body: Buffer, page: number): Answer {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://s3');
  const [, bucket, ...rest] = decodeURIComponent(pathname).split('/');
  const key = rest.join('/');
  if (bucket !== 'luna-files') return errorOf(404, 'NoSuchBucket');
  if (key === '' && body.includes('<LocationConstraint>us-east-1<')) return errorOf(400, 'InvalidLocationConstraint');
  if (key === '') return bucketAnswer(state, `${request.method}`, searchParams, page);
  if (!state.bucket) return errorOf(404, 'NoSuchBucket');
  const versions = state.objects.get(key);
  if (request.method === 'PUT') {
    state.objects.set(key, [...(versions ?? []), body]);
    return { status: 200 };
  }
  if (request.method === 'DELETE') {
    state.objects.delete(key);
    return { status: 204 };
  }
  return versions ? { status: 200, body: versions.at(-1) } : errorOf(404, 'NoSuchKey');
}

function bucketAnswer(state: State, method: string, query: URLSearchParams, page: number): Answer {
  if (method === 'PUT' && !query.has('versioning')) {
    if (state.bucket) return errorOf(409, 'BucketAlreadyOwnedByYou');
    state.bucket = true;
    return { status: 200 };
  }
  if (!state.bucket) return errorOf(404, 'NoSuchBucket');
  if (method === 'PUT') state.versioning = true;
  return method === 'GET' ? { status: 200, body: listing(state.objects, query, page) } : { status: 200 };
}

function listing(objects: Map<string, Buffer[]>, query: URLSearchParams, page: number): string {
  const prefix = query.get('prefix') ?? '';
  const after = query.get('continuation-token') ?? '';
  const names = [...objects.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
  const shown = names.slice(0, page);
  const more = names.length > shown.length;
  const contents = shown.map(
    (name) => `<Contents><Key>${name}</Key><Size>${objects.get(name)?.at(-1)?.length ?? 0}</Size></Contents>`,
  );
  return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>${shown.at(-1)}</NextContinuationToken>` : ''}${contents.join('')}</ListBucketResult>`;
}

const errorOf = (status: number, code: string): Answer => ({
  status,
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
});

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();

/** Why the signature does not fit, or null. Source: AWS, "Create a signed AWS API request" (SigV4). */
function signatureFault(request: IncomingMessage, body: Buffer): string | null {
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    );
  if (!found) return 'no signature';
  const [, key, day = '', region = '', signed = '', signature] = found;
  const header = (name: string) => String(request.headers[name] ?? '').trim();
  const hash = header('x-amz-content-sha256');
  if (key !== S3_KEY) return 'unknown key';
  if (hash !== 'UNSIGNED-PAYLOAD' && hash !== sha256(body)) return 'the body is not what was signed';
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://s3');
  const pairs = [...searchParams].map(([name, value]) =>
    [encodeURIComponent(name), encodeURIComponent(value)].join('='),
  );
  const headers = signed.split(';').map((name) => `${name}:${header(name)}\n`);
  const canonical = [request.method, pathname, pairs.sort().join('&'), headers.join(''), signed, hash].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', header('x-amz-date'), scope, sha256(canonical)].join('\n');
  const signing = [day, region, 's3', 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${S3_SECRET}`));
  return hmac(signing, toSign).toString('hex') === signature ? null : 'the signature does not fit';
}
