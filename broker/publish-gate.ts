// The hinge of "stored before acknowledged": before a client's publication is acknowledged, somebody may want to keep it. The
// broker knows only this port; `src/edge/ingress` implements it.
import type { SessionChanges } from './sessions/session-storage.ts';

/** What a client published, as it arrived. The payload is lent: it shares memory with the socket's buffers, so copy what is kept. */
export interface Publication {
  readonly clientId: string;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  /** The client's packet identifier; absent at QoS 0 and for a last will. */
  readonly packetId: number | undefined;
  /** The DUP flag: the client says that it has sent this before. */
  readonly duplicate: boolean;
  /** What the broker wants in the same commit, so that sessions get what is acknowledged; absent at QoS 0. */
  readonly routing?: { changes(): SessionChanges | undefined };
}

/**
 * - `admit`: kept; acknowledge and route it. `afterwards` is called once, when the acknowledgement has been handed to the socket
 *   (or the client has gone meanwhile): the place for answers, which so never overtake the acknowledgement.
 * - `set-aside`: no resend can help, so it is acknowledged and routed all the same; the gate has dealt with it.
 * - `unavailable`: not kept. No acknowledgement, and the connection is closed, so that the client sends it again.
 */
export type Admission =
  | { readonly kind: 'admit'; readonly afterwards?: () => void }
  | { readonly kind: 'set-aside'; readonly reason: string; readonly afterwards?: () => void }
  | { readonly kind: 'unavailable' };

/** Asked for every publication of a client, last wills included; never for the broker's own publications. */
export interface PublishGate {
  /** Whether publications to this topic must be admitted at all. Called for every publication: cheap, and never throws. */
  concerns(topic: string): boolean;
  /**
   * Resolves with the answer; in no hurry, the acknowledgement waits. Questions are asked in order of arrival, many at once.
   * A rejection counts as `unavailable`. Who commits something asks `routing` for its changes while building the commit; when
   * nobody has asked, the broker commits them itself.
   */
  admit(publication: Publication): Promise<Admission>;
}
