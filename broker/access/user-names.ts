/** As long as a namespace and a name in Kubernetes. */
const LONGEST = 507;

/**
 * Whether somebody may be called so: the name of a device or `<namespace>/<name>`, or any other that can be part of a topic, a line
 * of the password file and a line of the access file.
 */
export function isUserName(name: string): boolean {
  return name.length <= LONGEST && /^[^\s:+#/\p{Cc}]+(\/[^\s:+#/\p{Cc}]+)?$/u.test(name);
}
