// What KubeEdge says of requests that it refuses, word for word: clients may look for these sentences. Ours follow, because they
// name the property and the way out.

const OF_NAMES =
  'must only include upper or lowercase letters, number, english, and special letter - _ . , : / @ # and the length of key should be less than 128 bytes';

export const KUBEEDGE_REASONS = {
  unreadable: 'Unmarshal update request body failed, please check the request',
  withoutTwin: 'Update twin error, key:twin does not exist',
  badName: `The key of twin ${OF_NAMES}`,
  notInteger: 'the value is not int or integer',
  notFloat: 'the value is not float',
  notBoolean: 'the bool value must be true or false',
  unknownType: 'the value type is not allowed',
  unknownDevice: 'update rejected due to the device is not existed',
} as const;

/** KubeEdge's sentence, then ours. */
export const saidAsKubeEdge = (known: string, ours: string): string => `${known}: ${ours}`;

/** A payload of `twin/get`, with what is wrong with it. */
export const unreadableGet = (payload: string, problem: string): string =>
  `Unmarshal twin info ${payload} failed , err: ${problem}`;

export const unknownToGet = (device: string): string => `Device ${device} not found while getting twin`;

/** The same of `membership/get`. */
export const unreadableMembership = (payload: string, problem: string): string =>
  `Unmarshal get membership info ${payload} failed , err: ${problem}`;
