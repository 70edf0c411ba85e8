import { connectSsh } from "../transport/ssh.ts";

/** What an installed system says of itself. */
export interface Identity {
  hostKey: string;
  hostName: string;
  /** From /etc/testbed-install, which the answer file writes. */
  system: string;
  profile: string;
  generation: string;
  token: string;
  /** From /etc/os-release. */
  osId: string;
  osVersion: string;
}

/** Lines `key=value`, as the proof file and /etc/os-release have them; quotes around a value are not part of it. */
export function keyValues(text: string): Record<string, string> {
  const pairs = text.split(/\r?\n/).flatMap((line) => {
    const at = line.indexOf("=");
    return at > 0
      ? [
          [
            line.slice(0, at).trim(),
            line
              .slice(at + 1)
              .trim()
              .replace(/^"(.*)"$/, "$1"),
          ] as const,
        ]
      : [];
  });
  return Object.fromEntries(pairs);
}

/**
 * Reads the identity over SSH. Without a pinned key whatever key the host shows is accepted: that is right only when the caller then
 * compares the token.
 */
export async function readIdentity(target: { address: string; user: string; privateKey: string; hostKey?: string }): Promise<Identity> {
  const connection = await connectSsh(target);
  try {
    const { stdout } = await connection.exec(
      ["sh", "-c", "cat /etc/testbed-install; echo; cat /etc/os-release; echo; echo TESTBED_HOST=$(hostname)"],
      { timeoutSeconds: 20 },
    );
    const values = keyValues(stdout);
    return {
      hostKey: connection.hostKey,
      hostName: values.TESTBED_HOST ?? "",
      system: values.system ?? "",
      profile: values.profile ?? "",
      generation: values.generation ?? "",
      token: values.token ?? "",
      osId: values.ID ?? "",
      osVersion: values.VERSION_ID ?? "",
    };
  } finally {
    connection.close();
  }
}
