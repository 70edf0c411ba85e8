import { randomInt } from "node:crypto";
import { encrypt } from "unixcrypt";
import type { Context } from "../kernel/index.ts";

const SALT_LETTERS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Hashes by password: one takes 20 ms of the event loop, and a hundred machines share a password. */
const hashes = new Map<string, string>();

/**
 * The crypt(3) hash (SHA-512, `$6$…`) of a credential's `password`, for answer files: root can log in with it, as CloudStack's server does
 * to add a host. `*`, which no password matches, where the credential has none.
 */
export function rootPasswordHash(context: Context, credential: string): string {
  const { password } = context.credential(credential);
  if (!password) return "*";
  const known = hashes.get(password);
  if (known) return known;
  const salt = Array.from({ length: 16 }, () => SALT_LETTERS[randomInt(SALT_LETTERS.length)]).join("");
  const hash = encrypt(password, `$6$${salt}$`);
  hashes.set(password, hash);
  return hash;
}
