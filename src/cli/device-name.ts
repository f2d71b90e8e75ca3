import { parseDeviceKey, type DeviceId } from '../model/device.ts';
import { cliErrors } from './errors.ts';

/** `NAME`, which is in namespace `default`, or `NAMESPACE/NAME`. Throws OPTION_INVALID. */
export function deviceNamed(option: string, text: string): DeviceId {
  if (/^[^/\s]+(\/[^/\s]+)?$/.test(text)) return parseDeviceKey(text);
  throw cliErrors.OPTION_INVALID({ option, value: text, expected: 'NAME or NAMESPACE/NAME' });
}
