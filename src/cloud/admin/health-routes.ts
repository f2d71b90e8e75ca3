import { exposition, type Metric } from '../../kit/metrics.ts';
import type { Service } from '../../kit/service.ts';
import type { Reply } from './answers.ts';
import type { HttpRoute } from './http-route.ts';

/** Of the hub itself: it may answer in text. */
export interface Route extends Pick<HttpRoute, 'method' | 'path' | 'access'> {
  reply(): Reply;
}

interface Sources {
  readonly parts: () => readonly Service[];
  readonly status: () => object;
  readonly metrics: readonly Metric[];
}

/** What the hub tells of itself. That the process works is nobody's secret; a probe of Kubernetes shows no token. */
export function healthRoutes({ parts, status, metrics }: Sources): readonly Route[] {
  const get = (path: string, reply: () => Reply): Route => ({ method: 'GET', path, access: 'admin', reply });
  return [
    { ...get('/healthz', () => ({ status: 200, body: { state: 'ok' } })), access: 'open' },
    get('/readyz', () => readiness(parts())),
    get('/status', () => ({ status: 200, body: status() })),
    get('/metrics', () => ({ status: 200, text: exposition(metrics) })),
  ];
}

function readiness(parts: readonly Service[]): Reply {
  const healths = Object.fromEntries(parts.map((part) => [part.name, part.health()]));
  const isReady = Object.values(healths).every(({ state }) => state === 'ok');
  return { status: isReady ? 200 : 503, body: { state: isReady ? 'ok' : 'degraded', parts: healths } };
}
