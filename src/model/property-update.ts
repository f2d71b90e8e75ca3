import type { PropertyDefinition } from './device.ts';

/** What a publication says of one property. Values are raw JSON, checked here against the model. */
export interface PropertyUpdate {
  readonly property: string;
  readonly actual?: { readonly raw: unknown; readonly deviceTime?: number };
  readonly expected?: { readonly raw: unknown };
  /** The type the client names; counts only for properties that the device model does not declare. */
  readonly typeName?: string;
}

/** What a value of a property must be; of an undeclared one, what was settled when it came. */
export type ValueRule = Pick<PropertyDefinition, 'type' | 'minimum' | 'maximum' | 'accessMode' | 'keep'>;
