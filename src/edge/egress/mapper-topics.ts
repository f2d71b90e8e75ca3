// What is derived from twins is not stored with the sessions: after each start it is said again from the store. What mappers must
// know, retained; and every open delta, because the process may have ended between a wish's commit and its announcement.
import type { Deadline } from '../../kit/deadline.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import type { DeviceDefinition } from '../../model/device.ts';
import type { Twin } from '../../model/twin.ts';
import type { Egress } from './egress.ts';

export interface MapperTopicsTools {
  readonly egress: Egress;
  readonly definitions: () => Iterable<DeviceDefinition>;
  readonly twinOf: (definition: DeviceDefinition) => Twin | undefined;
}

export class MapperTopics implements Service {
  readonly name = 'mapper-topics';
  readonly #tools: MapperTopicsTools;

  constructor(tools: MapperTopicsTools) {
    this.#tools = tools;
  }

  start(_signal: AbortSignal): Promise<void> {
    for (const definition of this.#tools.definitions()) {
      const twin = this.#tools.twinOf(definition);
      if (twin === undefined) continue;
      this.#tools.egress.defined(definition, twin);
      this.#tools.egress.outstanding(twin);
    }
    return Promise.resolve();
  }

  stop(_deadline: Deadline): Promise<void> {
    return Promise.resolve();
  }

  health(): Health {
    return HEALTHY;
  }
}
