// What Kubernetes accepts as a name, with its own sentences.
const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

const FORMS = {
  subdomain: {
    pattern: new RegExp(`^${SUBDOMAIN}$`),
    most: 253,
    message: `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`,
  },
  label: {
    pattern: new RegExp(`^${LABEL}$`),
    most: 63,
    message: `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`,
  },
};

export type NameForm = keyof typeof FORMS;

const QUALIFIED = new RegExp(`^${QUALIFIED_NAME}$`);

/** The sentences that say what is wrong with a name; none when it is fine. */
export function problemsOfName(form: NameForm, name: string): readonly string[] {
  const { pattern, most, message } = FORMS[form];
  return [
    ...(name.length > most ? [`must be no more than ${most} characters`] : []),
    ...(pattern.test(name) ? [] : [message]),
  ];
}

/** A label or annotation key: a name part of at most 63 characters, after an optional DNS prefix and a slash. */
export function problemsOfKey(key: string): readonly string[] {
  const slash = key.lastIndexOf('/');
  const prefix = slash === -1 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  return [
    ...(prefix === undefined ? [] : problemsOfName('subdomain', prefix).map((problem) => `prefix part ${problem}`)),
    ...(name.length > 63 ? ['name part must be no more than 63 characters'] : []),
    ...(QUALIFIED.test(name)
      ? []
      : [
          `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED_NAME}')`,
        ]),
  ];
}

export function problemsOfLabelValue(value: string): readonly string[] {
  return [
    ...(value.length > 63 ? ['must be no more than 63 characters'] : []),
    ...(value === '' || QUALIFIED.test(value)
      ? []
      : [
          `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${QUALIFIED_NAME})?')`,
        ]),
  ];
}

const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** `generateName` plus five letters that spell no word. */
export function generatedName(prefix: string, random: () => number = Math.random): string {
  const letters = Array.from({ length: 5 }, () => SUFFIX_LETTERS[Math.floor(random() * SUFFIX_LETTERS.length)]);
  return `${prefix.slice(0, 248)}${letters.join('')}`;
}
