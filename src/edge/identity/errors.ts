import { errorTable } from '../../kit/errors.ts';

export const identityErrors = errorTable({
  JOIN_TOKEN_MALFORMED: {
    kind: 'refused',
    message: () =>
      'what --token was given is no token: it has three parts with dots between them, and was cut or changed when it was copied; copy the whole of what skerry token create printed',
  },
  JOIN_WAITS_FOR_TIME: {
    kind: 'unavailable',
    message: ({ now }: { now: string }) =>
      `the clock of this node shows ${now}, so it has not been set since it started: joining waits for NTP, or for somebody who sets it`,
  },
  JOIN_HUB_NOT_TRUSTED: {
    kind: 'refused',
    message: ({ hub, found }: { hub: string; found: string }) =>
      `${hub} ${found}: this is another hub, or somebody between this node and the hub (a man in the middle). Neither the token nor anything else was sent to it. Check the address of --hub, and make a token at that hub with skerry token create`,
  },
  HUB_NOT_TRUSTED: {
    kind: 'refused',
    message: ({ hub }: { hub: string }) =>
      `${hub} shows a certificate that the hub which this node joined has not signed: this is another hub, or somebody between (a man in the middle). If the hub was made anew, join it with --hub and --token`,
  },
  HUB_NAME_NOT_CERTIFIED: {
    kind: 'refused',
    message: ({ hub, names }: { hub: string; names: string }) =>
      `the certificate of ${hub} is for ${names}; name the hub by one of these, or start it with --http on the address that this node uses`,
  },
  HUB_CERTIFICATE_TIME: {
    kind: 'unavailable',
    message: ({ hub, problem, now }: { hub: string; problem: string; now: string }) =>
      `the certificate of ${hub} ${problem} by the clock of this node, which shows ${now}; set that clock, or renew the certificate`,
  },
  HUB_UNREACHABLE: {
    kind: 'unavailable',
    message: ({ hub }: { hub: string }) =>
      `the hub at ${hub} cannot be reached; check that it runs there and that nothing between blocks the port`,
  },
  HUB_NOT_UNDERSTOOD: {
    kind: 'unavailable',
    message: ({ hub, problem }: { hub: string; problem: string }) =>
      `${hub} answers, but not as a hub of Skerry does (${problem}); check the address and the port`,
  },
  HUB_BUSY: {
    kind: 'unavailable',
    message: ({ hub, reason }: { hub: string; reason: string }) => `the hub at ${hub} cannot answer now: ${reason}`,
  },
  IDENTITY_UNREADABLE: {
    kind: 'refused',
    message: ({ file, problem }: { file: string; problem: string }) =>
      `the identity of this node, ${file}, ${problem}; restore it from a backup, or move it away, release the node's name at the hub with skerry node release and join again with a new token`,
  },
  HUB_REFUSED: {
    kind: 'refused',
    message: ({ reason }: { hub: string; refusal: string; reason: string }) => reason,
  },
});
