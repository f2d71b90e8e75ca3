import { mebibytes, seconds } from '../../src/kit/units.ts';

/** Limits that no test reaches by accident. */
export const ROOMY = { limit: mebibytes(512), age: seconds(30 * 24 * 3600) };
