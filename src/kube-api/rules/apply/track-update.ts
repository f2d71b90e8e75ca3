import { sameJson, type KubeObject } from '../../json.ts';
import type { Schema } from '../../schema/schema.ts';
import { minus, union } from './field-set.ts';
import { fieldsOf } from './fields-of.ts';
import { isSameWriter, managersOf, withFields, withManagers, type Writer } from './managers.ts';

/**
 * The object with its managers after an update: what the writer changed becomes its own and is lost to others. Managers that the
 * object brings along are believed (kubectl moves its own entries that way).
 */
export function trackUpdate(schema: Schema, old: KubeObject | undefined, next: KubeObject, writer: Writer): KubeObject {
  const before = fieldsOf(schema, old ?? {});
  const after = fieldsOf(schema, next);
  const changed = new Set(
    [...after].filter(([key, value]) => !before.has(key) || !sameJson(before.get(key), value)).map(([key]) => key),
  );
  const gone = new Set([...before.keys()].filter((key) => !after.has(key)));
  const managers = managersOf(next);
  if (changed.size + gone.size === 0) return next;
  const lost = union(changed, gone);
  const kept = managers.map((each) => {
    const fields = minus(each.fields, isSameWriter(each, writer) ? gone : lost);
    return fields.size === each.fields.size ? each : { ...each, fields };
  });
  const own = kept.find((each) => isSameWriter(each, writer))?.fields ?? new Set();
  return withManagers(next, withFields(kept, writer, union(own, changed)));
}
