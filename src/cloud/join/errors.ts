import { errorTable } from '../../kit/errors.ts';

const at = (moment: number): string => new Date(moment).toISOString().replace(/\.\d+Z$/, 'Z');

export const joinErrors = errorTable({
  JOIN_TOKEN_UNKNOWN: {
    kind: 'refused',
    message: (_: object) =>
      'this hub does not know the token: it was copied wrongly, deleted, or made at another hub; make a new one here with skerry token create',
  },
  JOIN_TOKEN_EXPIRED: {
    kind: 'refused',
    message: ({ expiredAt }: { expiredAt: number }) =>
      `the token expired at ${at(expiredAt)}; make a new one with skerry token create (--ttl says for how long)`,
  },
  JOIN_TOKEN_USED_UP: {
    kind: 'refused',
    message: ({ uses }: { uses: number }) =>
      `the token was good for ${uses === 1 ? 'one node' : `${uses} nodes`} and is used up; make a new one with skerry token create (--uses says for how many)`,
  },
  JOIN_TOKEN_NODE: {
    kind: 'refused',
    message: ({ node, pattern }: { node: string; pattern: string }) =>
      `the token is for nodes named ${pattern}, and not for ${node}; name the node so, or make another token with skerry token create --node-pattern`,
  },
  JOIN_NAME_INVALID: {
    kind: 'refused',
    message: ({ node, most }: { node: string; most: number }) =>
      `${JSON.stringify(node.slice(0, 80))} cannot be the name of a node: it takes lower-case letters, digits, "-" and ".", at most ${most} of them, and begins and ends with a letter or digit`,
  },
  JOIN_KEY_INVALID: {
    kind: 'refused',
    message: (_: object) =>
      'the public key is not that of a NATS user (it begins with U); the node must make its key pair anew',
  },
  JOIN_NAME_TAKEN: {
    kind: 'refused',
    message: ({ node }: { node: string }) =>
      `a node named ${node} has joined with another key; give this one another name, or free the name with skerry node release ${node}`,
  },
  JOIN_NAME_LOCAL: {
    kind: 'refused',
    message: ({ node }: { node: string }) =>
      `${node} is a node of the hub's own machine, admitted with --local-node; give this one another name`,
  },
  JOIN_NATS_HIDDEN: {
    kind: 'unavailable',
    message: ({ host }: { host: string }) =>
      `NATS listens on ${host}, where other machines cannot reach it: start the hub with --nats-listen 0.0.0.0:4222`,
  },
  JOIN_CLOCK_OFF: {
    kind: 'refused',
    message: ({ ahead, now }: { ahead: number; now: number }) =>
      `the clock of the node is ${Math.round(Math.abs(ahead) / 60_000)} minutes ${ahead > 0 ? 'ahead of' : 'behind'} the hub's, which shows ${at(now)}; set the clock that is wrong and try again`,
  },
  JOIN_REQUEST_INVALID: {
    kind: 'refused',
    message: ({ path }: { path: string }) =>
      `the body of a request to ${path} is not of its form; an edge node of the hub's version sends the right one`,
  },
  JOIN_TOO_MANY: {
    kind: 'unavailable',
    message: ({ wait }: { wait: number }) => `too many attempts have failed; try again in ${wait} s`,
  },
  JOIN_NOT_NOW: {
    kind: 'unavailable',
    message: (_: object) =>
      'the hub cannot look into its records now; try again in a few seconds, and see the log of the hub',
  },
  RENEWAL_PROOF_INVALID: {
    kind: 'refused',
    message: ({ node }: { node: string }) =>
      `the challenge was not signed in time with the key of ${node}; ask for a new one and sign that`,
  },
  JOIN_KEY_REVOKED: {
    kind: 'refused',
    message: ({ node }: { node: string }) =>
      `this key of ${node} was revoked and is never taken again; join with a new key and a new token`,
  },
  NODE_REVOKED: {
    kind: 'refused',
    message: ({ node, revokedAt }: { node: string; revokedAt: number }) =>
      `the node ${node} was revoked at ${at(revokedAt)}; skerry node release ${node} at the hub lets a node of that name join again, with a new token`,
  },
  NODE_NOT_JOINED: {
    kind: 'refused',
    message: ({ node }: { node: string }) =>
      `no node named ${node} has joined here with that key; join it with a token of skerry token create`,
  },
  NODE_UNKNOWN: {
    kind: 'refused',
    message: ({ node }: { node: string }) => `no node named ${node} has joined; skerry node list shows those that have`,
  },
  TOKEN_NOT_FOUND: {
    kind: 'refused',
    message: ({ id }: { id: string }) => `there is no token ${id}; skerry token list shows those that there are`,
  },
  AUTHORITY_NOT_FOUND: {
    kind: 'refused',
    message: ({ server }: { server: string }) =>
      `no hub has shown its certificate authority at ${server} yet, which a token must name; start skerry hub once, then make the token`,
  },
});
