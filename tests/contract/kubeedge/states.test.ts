// KubeEdge's table of states (reference: kubeedge-contract, section 1.10).
import { error, testExchanges, type Exchange } from './exchanges.ts';

const answered = (state: string, more = ''): Exchange['expect'] => [
  ['state/update/result', `{"event_id":"UUID","timestamp":TIME,"device":{"name":"NAME","state":"${state}"${more}}}`],
];
const UP = ',"lastOnlineTime":"TIME"';
const saying = (state: string): Exchange['publish'] => [
  'state/update',
  `{"event_id":"s","timestamp":1,"state":"${state}"}`,
];

const STATES: readonly Exchange[] = [
  ...['online', 'ok', 'Online', 'OK'].map((state): Exchange => ({
    title: `the state ${state} is answered as it was spelled, with the time of being online`,
    publish: saying(state),
    expect: answered(state, UP),
  })),
  ...['offline', 'unknown', 'unhealthy', 'UnHealthy'].map((state): Exchange => ({
    title: `the state ${state} is answered as it was spelled, without a time`,
    publish: saying(state),
    expect: answered(state),
  })),
  {
    title: 'a state needs neither event_id nor timestamp',
    publish: ['state/update', '{"state":"online"}'],
    expect: answered('online', UP),
  },
  {
    title: 'a state that KubeEdge ignores silently is refused with a reason',
    publish: saying('disconnected'),
    expect: [
      error('state/update', 's', {
        code: 400,
        reason: 'the field "state" must be one of online, offline, ok, unknown, unhealthy',
      }),
    ],
  },
  {
    title: 'a state of an unknown device is refused with a reason',
    isUnknown: true,
    publish: saying('online'),
    expect: [
      error('state/update', 's', {
        code: 404,
        reason:
          'the device DEVICE is not known on this node; apply a Device with that name and this node as spec.nodeName',
      }),
    ],
  },
];

testExchanges(STATES);
