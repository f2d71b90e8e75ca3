// How a publication reaches its subscribers: Aedes' usual in-memory emitter, with one promise added. Whoever publishes does not
// wait for those who read. As Aedes has it, a publication ends when the slowest subscriber's socket has drained, and a hundred
// such publications stop everybody; here a subscriber that does not read is the business of `BrokerLimits.backlog` alone.
import mqemitter from 'mqemitter';
import type { Audience } from './audience.ts';
import type { Deliveries } from './deliveries.ts';

const UNLIMITED = 0;

/** What the emitter does not declare. */
interface Matching {
  readonly _matcher: { remove(filter: string, listener: object): void };
}

export function createFanOut(audience: Audience, deliveries: Deliveries): mqemitter.MQEmitter {
  // MQTT-4.7.1-3: levels may be empty.
  const emitter = mqemitter({ concurrency: UNLIMITED, matchEmptyLevels: true });
  const emit = emitter.emit.bind(emitter);
  emitter.emit = (message, handedOver) => {
    deliveries.next();
    emit(message);
    handedOver?.();
  };
  const on = emitter.on.bind(emitter);
  emitter.on = (filter, listener, done) => {
    audience.listen(filter);
    return on(filter, listener, done);
  };
  // At once, where the emitter takes a turn of the loop: a SUBSCRIBE that came with the UNSUBSCRIBE was lost in between, or never ended.
  const { _matcher: matcher } = emitter as unknown as Matching;
  emitter.removeListener = (filter, listener, done) => {
    audience.leave(filter);
    matcher.remove(filter, listener);
    done?.();
  };
  return emitter;
}
