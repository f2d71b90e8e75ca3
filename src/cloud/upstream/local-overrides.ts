// Desired values that a node holds on to over those of the spec → what the Device's status shows of them: the newest list, by
// version, and the condition LocalOverride. Pure.
import type { OverrideEnd, StandingOverride } from '../../model/fact.ts';
import { formatVersion, type Version } from '../../model/version.ts';
import type { OverrideNews } from '../../wire/override-news.ts';
import { withCondition, type Verdict } from '../kubernetes/conditions.ts';
import type { DeviceStatus, OverriddenProperty } from '../kubernetes/resources.ts';

export const LOCAL_OVERRIDE = 'LocalOverride';

const VALUE_LENGTH = 60;
const MOST_NAMED = 20;

/** What the spec says and the status is to be compared with. */
export interface OverriddenDevice {
  /** `<namespace>/<name>` */
  readonly name: string;
  /** The spec's desired value of a property. */
  readonly desiredOf: (property: string) => string | undefined;
}

/**
 * The news is newer than what the status shows. The node knows which properties are declared: a hub that has not heard of one yet
 * must not drop it, because the same version never comes again. A Device that was never overridden gets no condition, and a
 * note of the version.
 */
export function withOverrides(
  device: OverriddenDevice,
  status: DeviceStatus,
  { standing, ended }: OverrideNews,
  { version, at }: { readonly version: Version; readonly at: number },
): DeviceStatus {
  const properties = standing.map(shownOverride);
  const overrides = { version: formatVersion(version), ...(properties.length === 0 ? {} : { properties }) };
  const shown = { ...status, overrides };
  const isKnown = status.conditions?.some(({ type }) => type === LOCAL_OVERRIDE) ?? false;
  if (properties.length === 0 && !isKnown) return shown;
  const verdict = properties.length === 0 ? over(ended.at(-1)?.reason) : stands(device, properties);
  return withCondition(shown, LOCAL_OVERRIDE, verdict, Number.isNaN(at) ? 0 : at);
}

const shownOverride = ({ property, value, at }: StandingOverride): OverriddenProperty => ({
  propertyName: property,
  value,
  since: new Date(at).toISOString(),
});

function stands(device: OverriddenDevice, properties: readonly OverriddenProperty[]): Verdict {
  const named = properties.slice(0, MOST_NAMED).map(({ propertyName, value }) => {
    const wanted = device.desiredOf(propertyName) ?? '';
    const instead = wanted === '' ? 'where the spec wants nothing' : `where the spec wants ${shortened(wanted)}`;
    return `${propertyName} is to be ${shortened(value)} ${instead}`;
  });
  const more = properties.length > MOST_NAMED ? `; and ${properties.length - MOST_NAMED} more` : '';
  const wayOut = `\`skerry twin accept ${device.name}\` takes it into the spec, a new value in the spec ends it`;
  return { status: 'True', reason: 'SetAtNode', message: `${named.join('; ')}${more}. ${wayOut}` };
}

const ENDED: Readonly<Record<OverrideEnd, string>> = {
  CloudChanged: 'the spec said something new, which counts',
  Agreed: 'the spec wants the same now',
  Released: 'it was ended at the node',
  NotAllowed: 'the DeviceModel does not know the property any more, or not such a value',
  DeviceMoved: 'the Device was bound anew',
};

function over(reason: OverrideEnd | undefined): Verdict {
  if (reason === undefined)
    return { status: 'False', reason: 'NoneStands', message: 'the node wants what the spec wants' };
  return { status: 'False', reason, message: `no local override stands: ${ENDED[reason]}` };
}

export function shortened(text: string): string {
  return text.length <= VALUE_LENGTH ? text : `${text.slice(0, VALUE_LENGTH - 1)}…`;
}
