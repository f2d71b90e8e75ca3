// What the demo's live line tells besides the counter's own words: asked of the edge node and of Kubernetes, like anybody would.
import { isAbort, messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { sleep } from '../../kit/sleep.ts';
import { ms } from '../../kit/units.ts';
import { asObject, parseJson } from '../../wire/json.ts';
import { KubernetesTwins } from '../twin/kubernetes-twins.ts';
import type { ShownTwin } from '../twin/twin-source.ts';

const RETRY = ms(500);
const COUNTER = { namespace: 'default', name: 'counter' };

/** Follows the Device for as long as the signal lets it; the hub may come and go. */
export async function followDevice(
  kubeconfig: string,
  tools: { readonly onTwin: (twin: ShownTwin | undefined) => void; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const twins = new KubernetesTwins(kubeconfig);
    try {
      await twins.watch(COUNTER, tools.onTwin, signal);
    } catch (error) {
      if (!isAbort(error)) tools.logger.debug({ reason: messageOf(error) }, 'the Device cannot be watched');
    } finally {
      twins.close();
    }
    await sleep(RETRY, signal);
  }
}

export interface EdgeGlance {
  readonly isLinked: boolean;
  readonly waiting: number;
}

/** Asks the edge node twice a second how it is; `undefined` when it does not answer. */
export async function followEdge(
  url: () => string,
  onGlance: (glance: EdgeGlance | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  while ((await sleep(RETRY, signal)) === 'elapsed') onGlance(await glanceAt(url(), signal));
}

async function glanceAt(url: string, signal: AbortSignal): Promise<EdgeGlance | undefined> {
  try {
    const response = await fetch(`${url}/status`, { signal });
    const status = asObject(parseJson(await response.text())) ?? {};
    return { isLinked: status['isLinked'] === true, waiting: Number(status['backlog'] ?? 0) };
  } catch (error) {
    if (isAbort(error) || error instanceof TypeError) return undefined;
    throw error;
  }
}
