/**
 * OpenTelemetry traces (OTLP over HTTP) where `otlp_url` names a collector: over the way of a reading (request, intake,
 * journal) and of a question (retrieve, model, verify, questions to the stores). Without one nothing is loaded but the
 * interface, whose spans then do nothing. Attributes name kinds and counts, never values, people or texts.
 */
import { type Attributes, context, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { Closable } from '../engine/ports.ts';

const SCOPE = 'luna';
const EXPORT_TIMEOUT_MS = 5000;
const CLOSE_MS = 1000;

/** Runs `work` in a span, a child of the one around it. What it throws is noted by its kind and thrown on. */
export function traced<T>(name: string, attributes: Attributes, work: (span: Span) => Promise<T>): Promise<T> {
  return trace.getTracer(SCOPE).startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).name });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** The trace that the present work belongs to, for the log; undefined where none is made. */
export function traceId(): string | undefined {
  return trace.getSpan(context.active())?.spanContext().traceId;
}

/**
 * @param url of the collector, such as http://collector:4318; null for none
 * @param share of requests that are traced, 0 to 1
 */
export async function openTracing(
  { url, share, version }: { url: string | null; share: number; version: string },
  log: Pick<Logger, 'info'>,
): Promise<Closable> {
  if (url === null) return { close: async () => {} };
  const [sdk, { OTLPTraceExporter }, { resourceFromAttributes }, { AsyncLocalStorageContextManager }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/context-async-hooks'),
    ]);
  const exporter = new OTLPTraceExporter({ url: `${url}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MS });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': SCOPE, 'service.version': version }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(share) }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  log.info({ share }, 'traces are sent');
  return {
    async close() {
      // A collector that hangs keeps nobody waiting.
      const late = new Promise<void>((done) => setTimeout(done, CLOSE_MS).unref());
      await Promise.race([provider.shutdown().catch(() => {}), late]);
      trace.disable();
      context.disable();
    },
  };
}
