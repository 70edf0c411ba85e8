const secrets = new Set<string>();

/** Remembers every string inside `value` as a secret. Strings under four characters are too common to hide by value. */
export function rememberSecrets(value: unknown): void {
  if (typeof value === "string") {
    if (value.length < 4) return;
    secrets.add(value);
    for (const line of value.split("\n")) if (line.length >= 16) secrets.add(line);
  } else if (value !== null && typeof value === "object") {
    for (const inner of Object.values(value)) rememberSecrets(inner);
  }
}

/** The text with every remembered secret replaced; the longest first, so that no part of one stays. */
export function redact(text: string): string {
  let safe = text;
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) safe = safe.replaceAll(secret, "[secret]");
  return safe;
}
