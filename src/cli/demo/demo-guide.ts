import type { DemoPlaces } from './demo.ts';

export interface GuideFacts {
  readonly places: DemoPlaces;
  /** A NATS URL that may only listen. */
  readonly natsViewer: string;
  readonly isTerminal: boolean;
}

/** Where everything listens, and what to type next. */
export function guideLines({ places, natsViewer, isTerminal }: GuideFacts): readonly string[] {
  const { hostname, port } = new URL(places.mqtt);
  const other = port === '1883' ? '' : ` -p ${port}`;
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
    `  export KUBECONFIG=${places.kubeconfig}`,
    '  kubectl get devices -w                                   # watch it count',
    `  kubectl patch device counter --type=json -p '${off}'     # switch it off`,
    '  npm run -s skerry -- twin set counter status=ON          # and on again, without kubectl',
    `  mosquitto_sub -h ${hostname}${other} -t '$hw/events/device/#' -v        # what the device and the edge say`,
    `  node dist/examples/01-cloud-subscriber.js '${natsViewer}'   # what cloud services see`,
    '',
    ...plugLines(places, isTerminal),
    '',
  ];
}

function plugLines({ pids }: DemoPlaces, isTerminal: boolean): readonly string[] {
  const kill = `kill -9 ${pids.hub ?? ''}   # the hub; or ${pids.nats ?? ''} nats-server, ${pids.edge ?? ''} edge node, ${pids.counter ?? ''} counter: each comes back, nothing is lost`;
  return isTerminal
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
