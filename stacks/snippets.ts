/** What snippets there are and which of them each answer file includes, directly or through another. */
export interface SnippetUse {
  /** SHA-256 of the normalised text, by name. */
  digests: Record<string, string>;
  /** Names of snippets by the name of the answer file. */
  uses: Record<string, string[]>;
}

// Cobbler's two ways of including one.
const INCLUDED = /\$SNIPPET\(\s*['"]([^'"]+)['"]\s*\)|SNIPPET::([A-Za-z0-9_\-/.]+)/g;

/**
 * The snippets among `texts` that a text includes, directly or through another, sorted. One that a system, profile or distro has
 * of its own (`per_system/NAME/…`) counts with its NAME. What is not among `texts` is cobbler's own.
 */
export function snippetsOf(text: string, texts: ReadonlyMap<string, string>): string[] {
  const found = new Set<string>();
  const look = (inside: string) => {
    for (const [, called, written] of inside.matchAll(INCLUDED)) {
      const name = called ?? written ?? "";
      for (const [other, body] of texts) {
        if (found.has(other) || (other !== name && baseName(other) !== name)) continue;
        found.add(other);
        look(body);
      }
    }
  };
  look(text);
  return [...found].sort();
}

/** NAME of `per_system/NAME/h11` and the like. */
function baseName(snippet: string): string | undefined {
  return /^per_(?:system|profile|distro)\/(.+)\/[^/]+$/.exec(snippet)?.[1];
}
