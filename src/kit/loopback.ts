/** Whether an address, of a peer or to listen at, stays on this machine. */
export function isLoopback(host: string | undefined): boolean {
  if (host === undefined) return false;
  const address = host.replace(/^::ffff:(?=\d+\.)/i, '').toLowerCase();
  return address === 'localhost' || address === '::1' || /^127(\.\d{1,3}){3}$/.test(address);
}
