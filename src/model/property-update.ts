import type { PropertyDefinition } from './device.ts';

/** What a publication says of one property. Values are raw JSON, checked here against the model. */
export interface PropertyUpdate {
  readonly property: string;
  /** `null` in the place of the property: it shall go. */
  readonly isRemoval?: true;
  readonly actual?: { readonly raw: unknown; readonly deviceTime?: number };
  readonly expected?: { readonly raw: unknown };
  /** The type the client names; counts only for properties that the device model does not declare. */
  readonly typeName?: string;
  /** False: it may not be removed from now on. */
  readonly optional?: boolean;
}

/** What became of a property that a publication named, as far as its answers tell of it. */
export type Touched =
  | {
      readonly property: string;
      readonly kind: 'set';
      /** Whether a value was reported. */
      readonly isReported: boolean;
      /** The value that was expected. */
      readonly expected?: string;
    }
  | { readonly property: string; readonly kind: 'removed' };

type RulingField = 'type' | 'minimum' | 'maximum' | 'accessMode' | 'keep' | 'desired';

/** What a value of a property must be; of an undeclared one, what was settled when it came. */
export interface ValueRule extends Pick<PropertyDefinition, RulingField> {
  /** No model declares the property: whoever speaks of it is a client of this node. */
  readonly isUndeclared?: true;
}
