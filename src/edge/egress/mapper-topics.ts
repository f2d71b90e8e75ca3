// Retained messages live in the broker's memory: after each start, what mappers must know is said again from the store.
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
      if (twin !== undefined) this.#tools.egress.defined(definition, twin);
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
