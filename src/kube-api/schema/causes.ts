// The causes of an Invalid status, worded as Kubernetes words them.
import { typeOfJson, type Json } from '../json.ts';
import type { StatusCause } from '../status.ts';

export const required = (field: string, detail = ''): StatusCause => ({
  reason: 'FieldValueRequired',
  message: detail === '' ? 'Required value' : `Required value: ${detail}`,
  field,
});

export const invalidValue = (field: string, value: Json, detail: string): StatusCause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
  field,
});

export const wrongType = (field: string, value: Json, wanted: string): StatusCause => {
  const type = JSON.stringify(typeOfJson(value));
  return {
    reason: 'FieldValueTypeInvalid',
    message: `Invalid value: ${type}: ${field} in body must be of type ${wanted}: ${type}`,
    field,
  };
};

export const notSupported = (field: string, value: Json, supported: readonly Json[]): StatusCause => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((each) => JSON.stringify(each)).join(', ')}`,
  field,
});

export const duplicate = (field: string, value: Json): StatusCause => ({
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${JSON.stringify(value)}`,
  field,
});

export const forbiddenValue = (field: string, detail: string): StatusCause => ({
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${detail}`,
  field,
});

export const tooLong = (field: string, most: number): StatusCause => ({
  reason: 'FieldValueTooLong',
  message: `Too long: may not be more than ${most} bytes`,
  field,
});

export const tooMany = (field: string, count: number, most: number): StatusCause => ({
  reason: 'FieldValueTooMany',
  message: `Too many: ${count}: must have at most ${most} items`,
  field,
});
