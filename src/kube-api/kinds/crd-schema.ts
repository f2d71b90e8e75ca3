import type { Schema } from '../schema/schema.ts';
import { closed, condition, flag, listOfItems, mergedBy, number32, open, requiring, text } from './schema-words.ts';

const names = requiring(
  closed('The words for the new kind.', {
    plural: text('Name in URLs, as devices.'),
    singular: text('Name of one, as device.'),
    kind: text('Kind in manifests, as Device.'),
    listKind: text('Kind of lists; default is the kind with List.'),
    shortNames: listOfItems({ type: 'string' }, 'Short forms for kubectl.'),
    categories: listOfItems({ type: 'string' }, 'Groups of kinds that kubectl get understands, as all.'),
  }),
  'plural',
  'kind',
);

const printerColumn = requiring(
  closed('A column of kubectl get.', {
    name: text('Heading.'),
    type: { ...text('Type of the values.'), enum: ['integer', 'number', 'string', 'boolean', 'date'] },
    jsonPath: text('Where the value is, as .spec.nodeName.'),
    format: text('Note on the type.'),
    description: text('What the column tells.'),
    priority: number32('0 is always shown, more only with -o wide.'),
  }),
  'name',
  'type',
  'jsonPath',
);

const version = requiring(
  closed('One version of the kind.', {
    name: text('Name of the version, as v1beta1.'),
    served: flag('True when clients may use it.'),
    storage: flag('True for the one version that objects are stored in.'),
    deprecated: flag('True to warn its users.'),
    deprecationWarning: text('The sentence that warns them.'),
    schema: closed('The form of the objects.', { openAPIV3Schema: open('An OpenAPI v3 schema.') }),
    subresources: closed('Parts with an address of their own.', {
      status: open('Present: status is written apart from the rest.'),
      scale: open('Present: replicas are read and written apart.'),
    }),
    additionalPrinterColumns: listOfItems(printerColumn, 'Columns of kubectl get.'),
    selectableFields: listOfItems(
      requiring(closed('A field.', { jsonPath: text('Where it is.') }), 'jsonPath'),
      'Fields for field selectors.',
    ),
  }),
  'name',
  'served',
  'storage',
);

export const crdSchema: Schema = requiring(
  closed('Defines a kind of objects that this server then stores.', {
    spec: requiring(
      closed('The kind.', {
        group: text('API group of the kind.'),
        names,
        scope: { ...text('Whether objects live in namespaces.'), enum: ['Cluster', 'Namespaced'] },
        versions: listOfItems(version, 'The versions of the kind.'),
        conversion: open('How versions turn into one another. Only strategy None is served.', {
          strategy: text('None.'),
        }),
        preserveUnknownFields: flag('Must be false.'),
      }),
      'group',
      'names',
      'scope',
      'versions',
    ),
    status: open('What became of the definition.', {
      conditions: mergedBy('type', condition, 'Aspects of the current state.'),
      acceptedNames: open('The names in use.'),
      storedVersions: listOfItems({ type: 'string' }, 'Versions in which objects may be stored.'),
    }),
  }),
  'spec',
);
