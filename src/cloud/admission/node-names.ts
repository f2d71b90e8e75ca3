// Kubernetes' rule for node names (RFC 1123 subdomain). Pure.
const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
const SUBDOMAIN = new RegExp(`^${LABEL}(\\.${LABEL})*$`);

export function isNodeName(text: string): boolean {
  return text.length <= 253 && SUBDOMAIN.test(text);
}
