// A NATS user of this process: its key is made here, and gone with the process.
import { createKeyPair } from '../../nats/nkeys.ts';

/** @param mint gives the JWT for the public key; asked at the first use, once */
export function lasting(mint: (publicKey: string) => string): () => { readonly jwt: string; readonly seed: string } {
  let user: { readonly jwt: string; readonly seed: string } | undefined;
  return () => {
    if (user !== undefined) return user;
    const { publicKey, seed } = createKeyPair('user');
    user = { jwt: mint(publicKey), seed };
    return user;
  };
}
