// What clients ask of the node itself: which devices it has.
import type { Publication } from '../../../broker/index.ts';
import type { DeviceDefinition } from '../../model/device.ts';
import { unreadableMembership } from '../../model/kubeedge-reasons.ts';
import type { Store } from '../store/store.ts';
import { commitWith } from './commit-with.ts';
import type { DeviceAnswers } from './device-answers.ts';
import type { FactKeeper } from './fact-keeper.ts';
import { parseRequest } from './publication-parser.ts';
import { membershipRefusalsOf, shownOf, type Outcome } from './refusal.ts';

export interface NodeRequestsTools {
  readonly store: Store;
  readonly answers: Pick<DeviceAnswers, 'membershipRead'>;
  readonly definitions: () => Iterable<DeviceDefinition>;
}

export class NodeRequests {
  readonly #node: string;
  readonly #facts: FactKeeper;
  readonly #tools: NodeRequestsTools;

  constructor(node: string, facts: FactKeeper, tools: NodeRequestsTools) {
    this.#node = node;
    this.#facts = facts;
    this.#tools = tools;
  }

  async getMembership(asked: string, publication: Publication): Promise<Outcome> {
    const { store, answers, definitions } = this.#tools;
    const refuse = membershipRefusalsOf(this.#node, asked, publication);
    const parsed = parseRequest(publication.payload);
    if (parsed.kind === 'refused')
      return refuse(parsed.eventId, 'payload', unreadableMembership(shownOf(publication), parsed.reason));
    const { eventId } = parsed;
    if (asked !== this.#node)
      return refuse(eventId, 'unknown', `this is the node ${this.#node}; ask for its devices by that name`);
    // Through the committer, so that it sees what the same client published before it.
    return commitWith(publication, store, (tx): Outcome => {
      const devices = [...definitions()].flatMap((definition) => this.#facts.deviceIn(tx, definition) ?? []);
      return { kind: 'done', answer: () => answers.membershipRead(devices, eventId) };
    });
  }
}
