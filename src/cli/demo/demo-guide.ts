import { join } from 'node:path';
import type { DemoPlaces } from './demo.ts';

export interface GuideFacts {
  readonly places: DemoPlaces;
  readonly dataDir: string;
  /** Whether single keys are listened to. */
  readonly hasKeys: boolean;
}

/** Where everything listens, and what to type next. */
export function guideLines({ places, dataDir, hasKeys }: GuideFacts): readonly string[] {
  const { hostname, port } = new URL(places.mqtt);
  const other = port === '1883' ? '' : ` -p ${port}`;
  const inDemo = `--data-dir ${quoted(dataDir)}`;
  const off = '[{"op":"replace","path":"/spec/properties/0/desired/value","value":"OFF"}]';
  return [
    '',
    'Skerry runs: a virtual counter speaks MQTT to an edge node, which keeps every value and hands it over to Kubernetes.',
    '',
    `  MQTT        ${places.mqtt}   WebSocket ${places.mqttWs}   edge HTTP ${places.edgeHttp}`,
    `  Kubernetes  ${places.kubernetes}   NATS ${places.nats}   hub HTTP ${places.hubHttp}`,
    '',
    'In another terminal:',
    '',
    `  export KUBECONFIG=${quoted(places.kubeconfig)}`,
    '  kubectl get devices -w                                   # watch it count',
    `  kubectl patch device counter --type=json -p '${off}'     # switch it off; it keeps its count on display`,
    `  npm run -s skerry -- twin set counter status=ON ${inDemo}   # and on again, from 0`,
    `  mosquitto_sub -h ${hostname}${other} -t '$hw/events/device/#' -v        # what the device and the edge say`,
    `  node dist/examples/01-cloud-subscriber.js ${quoted(join(dataDir, 'nats-viewer.json'))}   # what cloud services see`,
    '',
    ...plugLines(places, hasKeys),
    '',
  ];
}

/** As a shell takes it. */
const quoted = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

function plugLines({ pids }: DemoPlaces, hasKeys: boolean): readonly string[] {
  const kill = `kill -9 ${pids.hub ?? ''}   # the hub; or ${pids.nats ?? ''} nats-server, ${pids.edge ?? ''} edge node, ${pids.counter ?? ''} counter: each comes back (the counter from 0), nothing that was acknowledged is lost`;
  return hasKeys
    ? [
        'Press p to pull the plug on the cloud and p again to put it back in; q or Ctrl-C to stop everything.',
        `Or: ${kill}`,
      ]
    : [
        'Pull the plug on the cloud, and see that nothing is lost:',
        `  ${kill}`,
        `  kill -STOP ${pids.nats ?? ''}; sleep 20; kill -CONT ${pids.nats ?? ''}   # silence instead of an end`,
      ];
}
