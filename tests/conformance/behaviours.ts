import type { Behaviour } from './behaviour.ts';
import { CONNECT_BEHAVIOURS } from './connect.ts';
import { FRAMING_BEHAVIOURS } from './framing.ts';
import { MQTT31_BEHAVIOURS } from './mqtt31.ts';
import { PUBLISH_BEHAVIOURS } from './publish.ts';
import { RETAINED_BEHAVIOURS } from './retained.ts';
import { SUBSCRIBE_BEHAVIOURS } from './subscribe.ts';
import { TOPIC_BEHAVIOURS } from './topics.ts';
import { WEBSOCKET_BEHAVIOURS } from './websocket.ts';
import { WILL_BEHAVIOURS } from './wills.ts';

/** By what they are about, in the order in which the page shows them. */
export const BEHAVIOURS: Readonly<Record<string, readonly Behaviour[]>> = {
  'Connections and sessions': CONNECT_BEHAVIOURS,
  'Last wills': WILL_BEHAVIOURS,
  Publications: PUBLISH_BEHAVIOURS,
  'Retained messages': RETAINED_BEHAVIOURS,
  Subscriptions: SUBSCRIBE_BEHAVIOURS,
  'Topics and texts': TOPIC_BEHAVIOURS,
  'Packets and their ends': FRAMING_BEHAVIOURS,
  WebSocket: WEBSOCKET_BEHAVIOURS,
  'MQTT 3.1': MQTT31_BEHAVIOURS,
};
