import {
  condition,
  flag,
  intOrString,
  listOfItems,
  mergedBy,
  number32,
  number64,
  open,
  quantities,
  requiring,
  text,
  textMap,
  time,
} from './schema-words.ts';

const keyOf = (what: string) =>
  open(`A key of a ${what}.`, {
    name: text(`Name of the ${what}.`),
    key: text('The key.'),
    optional: flag('May be missing.'),
  });

const envVar = requiring(
  open('An environment variable.', {
    name: text('Name of the variable.'),
    value: text('Its value; $(OTHER) is replaced by another variable.'),
    valueFrom: open('Where the value comes from instead.', {
      configMapKeyRef: keyOf('ConfigMap'),
      secretKeyRef: keyOf('Secret'),
      fieldRef: open('A field of the pod.', { fieldPath: text('The field, as metadata.name.') }),
    }),
  }),
  'name',
);

const port = open('A port that the container listens on.', {
  name: text('Name of the port.'),
  containerPort: number32('The port inside the container.'),
  hostPort: number32('The port of the node that leads to it.'),
  hostIP: text('The address of the node to bind.'),
  protocol: text('TCP, UDP or SCTP.'),
});

const probe = open('How to ask a container for its health.', {
  exec: open('A command that must succeed.', {
    command: listOfItems({ type: 'string' }, 'The command and its arguments.'),
  }),
  httpGet: open('A request that must succeed.', { path: text('Path.'), port: intOrString('Port number or name.') }),
  tcpSocket: open('A port that must accept connections.', { port: intOrString('Port number or name.') }),
  initialDelaySeconds: number32('Wait this long before the first probe.'),
  periodSeconds: number32('Probe this often.'),
  timeoutSeconds: number32('Give up on one probe after this long.'),
  failureThreshold: number32('How many failures in a row count.'),
  successThreshold: number32('How many successes in a row count.'),
});

const container = requiring(
  open('A container of the pod.', {
    name: text('Name, unique within the pod.'),
    image: text('The image to run.'),
    imagePullPolicy: text('Always, IfNotPresent or Never.'),
    command: listOfItems({ type: 'string' }, 'Replaces the entry point of the image.'),
    args: listOfItems({ type: 'string' }, 'Arguments of the entry point.'),
    workingDir: text('Working directory.'),
    env: mergedBy('name', envVar, 'Environment variables.'),
    envFrom: listOfItems(open('All keys of a ConfigMap or Secret.'), 'Sources of many variables at once.'),
    ports: mergedBy('containerPort', port, 'Ports of the container.'),
    resources: open('What the container may use.', {
      limits: quantities('The most it gets.'),
      requests: quantities('What it is sure to get.'),
    }),
    volumeMounts: mergedBy(
      'mountPath',
      open('Where a volume appears.', { name: text('Name of the volume.'), mountPath: text('Path in the container.') }),
      'Volumes that the container sees.',
    ),
    livenessProbe: probe,
    readinessProbe: probe,
    startupProbe: probe,
    restartPolicy: text('Always makes an init container a sidecar.'),
    securityContext: open('Rights of the container.'),
    lifecycle: open('What to run after the start and before the end.'),
  }),
  'name',
);

export const podSpec = requiring(
  open('What the pod should be.', {
    containers: { ...mergedBy('name', container, 'The containers of the pod.'), minItems: 1 },
    initContainers: mergedBy('name', container, 'Containers that run to their end, in order, before the others.'),
    ephemeralContainers: mergedBy('name', container, 'Containers added for looking into a running pod.'),
    volumes: mergedBy('name', open('A volume.', { name: text('Name of the volume.') }), 'Volumes of the pod.'),
    nodeName: text('The node that runs the pod.'),
    nodeSelector: textMap('Labels that the node must have.'),
    restartPolicy: text('Always, OnFailure or Never.'),
    terminationGracePeriodSeconds: number64('Seconds between asking the pod to end and ending it.'),
    hostNetwork: flag('Share the network of the node.'),
    hostname: text('Host name inside the pod.'),
    serviceAccountName: text('The account that the pod runs as.'),
    imagePullSecrets: mergedBy(
      'name',
      open('A Secret.', { name: text('Name of the Secret.') }),
      'Secrets for pulling images.',
    ),
    hostAliases: mergedBy('ip', open('Lines of the hosts file.'), 'Extra lines of the hosts file.'),
    tolerations: listOfItems(open('A taint that the pod bears.'), 'Taints that the pod bears.'),
    affinity: open('Where the pod likes to run.'),
    securityContext: open('Rights of all containers.'),
    topologySpreadConstraints: mergedBy('topologyKey', open('How to spread pods.'), 'How to spread pods.'),
    schedulingGates: mergedBy('name', open('A reason not to place the pod yet.'), 'Reasons not to place the pod yet.'),
  }),
  'containers',
);

export const podStatus = open('What the pod is.', {
  phase: text('Pending, Running, Succeeded, Failed or Unknown.'),
  conditions: mergedBy('type', condition, 'Aspects of the current state.'),
  message: text('A sentence: why the pod is in this phase.'),
  reason: text('One word: why the pod is in this phase.'),
  hostIP: text('Address of the node.'),
  podIP: text('Address of the pod.'),
  podIPs: mergedBy('ip', open('An address.', { ip: text('The address.') }), 'All addresses of the pod.'),
  startTime: time('When the node took the pod.'),
  containerStatuses: listOfItems(open('State of one container.'), 'State of every container.'),
  initContainerStatuses: listOfItems(open('State of one init container.'), 'State of every init container.'),
  qosClass: text('Guaranteed, Burstable or BestEffort.'),
});
