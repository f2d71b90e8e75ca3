// Concise schemas of the built-in kinds: enough for `kubectl explain`, for type checks and for strategic merges.
import type { Schema } from '../schema/schema.ts';
import { podSpec, podStatus } from './pod-schema.ts';
import {
  closed,
  condition,
  flag,
  intOrString,
  listOfItems,
  mapOf,
  mergedBy,
  mergedSet,
  number32,
  open,
  quantities,
  requiring,
  text,
  textMap,
  time,
} from './schema-words.ts';

const bytesMap = (description: string): Schema => mapOf({ type: 'string', format: 'byte' }, description);
const named = (description: string): Schema => open(description, { name: text('Name of the object.') });

const objectReference = open('The object that this is about.', {
  apiVersion: text('API version of the object.'),
  kind: text('Kind of the object.'),
  namespace: text('Namespace of the object.'),
  name: text('Name of the object.'),
  uid: text('UID of the object.'),
  resourceVersion: text('Version of the object.'),
  fieldPath: text('The part of the object.'),
});

const microTime = (description: string): Schema => ({ type: 'string', format: 'date-time', description });

const nodeSpec = open('What the node should be.', {
  podCIDR: text('Addresses for pods on this node.'),
  podCIDRs: mergedSet({ type: 'string' }, 'Addresses for pods on this node.'),
  providerID: text('What the provider of the machine calls it.'),
  unschedulable: flag('True when no new pods may come here (kubectl cordon).'),
  taints: listOfItems(
    open('Keeps pods away that do not tolerate it.', {
      key: text('Key of the taint.'),
      value: text('Value of the taint.'),
      effect: text('NoSchedule, PreferNoSchedule or NoExecute.'),
      timeAdded: time('When the taint was set.'),
    }),
    'What pods must tolerate to run here.',
  ),
});

const nodeStatus = open('What the node is.', {
  capacity: quantities('What the node has.'),
  allocatable: quantities('What pods may use of it.'),
  conditions: mergedBy('type', condition, 'Aspects of the current state.'),
  addresses: mergedBy(
    'type',
    open('An address.', { type: text('Hostname, InternalIP …'), address: text('The address.') }),
    'How to reach the node.',
  ),
  nodeInfo: open('The system of the node.', {
    kubeletVersion: text('Version of the agent.'),
    osImage: text('Name of the operating system.'),
    kernelVersion: text('Version of the kernel.'),
    containerRuntimeVersion: text('Version of the container runtime.'),
    architecture: text('Architecture of the processor.'),
    operatingSystem: text('linux or windows.'),
  }),
  images: listOfItems(open('An image on the node.'), 'Images on the node.'),
  daemonEndpoints: open('Ports of the agent.'),
});

const servicePort = open('A port of the service.', {
  name: text('Name of the port.'),
  port: number32('The port that clients use.'),
  targetPort: intOrString('The port of the pods.'),
  nodePort: number32('The port on every node.'),
  protocol: text('TCP, UDP or SCTP.'),
});

export const builtInSchemas = {
  namespace: open('A space of names.', {
    spec: open('What the namespace should be.', {
      finalizers: mergedSet({ type: 'string' }, 'Who must finish first.'),
    }),
    status: open('What the namespace is.', {
      phase: text('Active or Terminating.'),
      conditions: mergedBy('type', condition, 'Aspects of the current state.'),
    }),
  }),
  node: open('A machine that runs pods and serves devices.', { spec: nodeSpec, status: nodeStatus }),
  pod: open('Containers that run together on one node.', { spec: podSpec, status: podStatus }),
  configMap: closed('Configuration for programs.', {
    data: textMap('Texts by key.'),
    binaryData: bytesMap('Bytes by key, in base64.'),
    immutable: flag('True when data may not change any more.'),
  }),
  secret: closed('Data that only its users should see.', {
    data: bytesMap('Bytes by key, in base64.'),
    stringData: textMap('Texts by key; stored in data.'),
    type: text('What the data is for.'),
    immutable: flag('True when data may not change any more.'),
  }),
  serviceAccount: closed('An identity for programs in pods.', {
    secrets: mergedBy('name', named('A Secret.'), 'Secrets that pods of this account may use.'),
    imagePullSecrets: listOfItems(named('A Secret.'), 'Secrets for pulling images.'),
    automountServiceAccountToken: flag('True when pods get a token.'),
  }),
  service: open('A name and address for a set of pods.', {
    spec: open('What the service should be.', {
      type: text('ClusterIP, NodePort, LoadBalancer or ExternalName.'),
      clusterIP: text('The address of the service, or None.'),
      selector: textMap('Labels of the pods behind the service.'),
      ports: mergedBy('port', servicePort, 'Ports of the service.'),
      externalIPs: listOfItems({ type: 'string' }, 'Further addresses.'),
    }),
    status: open('What the service is.', { conditions: mergedBy('type', condition, 'Aspects of the current state.') }),
  }),
  event: requiring(
    open('Something that happened to an object. Kept for an hour.', {
      involvedObject: objectReference,
      related: objectReference,
      reason: text('One word: what happened.'),
      message: text('A sentence: what happened.'),
      type: text('Normal or Warning.'),
      source: open('Who says so.', { component: text('The program.'), host: text('The node.') }),
      firstTimestamp: time('When it happened first.'),
      lastTimestamp: time('When it happened last.'),
      eventTime: microTime('When it happened, exactly.'),
      count: number32('How often it happened.'),
      series: open('A row of the same events.', {
        count: number32('How many.'),
        lastObservedTime: microTime('The last one.'),
      }),
      action: text('What was done.'),
      reportingComponent: text('The program that says so.'),
      reportingInstance: text('Which one of several.'),
    }),
    'involvedObject',
  ),
  lease: closed('Who holds something, and until when.', {
    spec: closed('The state of the lease.', {
      preferredHolder: text('Who should get the lease next.'),
      strategy: text('How the holder is chosen.'),
      holderIdentity: text('Who holds the lease.'),
      leaseDurationSeconds: number32('How long a lease that is not renewed still counts.'),
      acquireTime: microTime('When the holder got it.'),
      renewTime: microTime('When the holder last renewed it.'),
      leaseTransitions: number32('How often the holder changed.'),
    }),
  }),
};
