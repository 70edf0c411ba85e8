import { Client, type ConnectConfig } from "ssh2";

/** How to reach a machine over SSH. */
export interface SshTarget {
  address: string;
  user: string;
  privateKey: string;
  /** The one host key that may answer: "ssh-ed25519 AAAA…". */
  hostKey: string;
}

/**
 * What a command prints on a machine, within the time limit. A connection of the suite's own: it does not go through the providers, so that
 * a mistake of theirs cannot prove itself.
 */
export function outputOf(target: SshTarget, command: string, limitSeconds = 20): Promise<string> {
  const pinned = Buffer.from(target.hostKey.split(/\s+/)[1] ?? "", "base64");
  const place = `${target.user}@${target.address}`;
  return new Promise((resolve, reject) => {
    const client = new Client();
    let wrongKey = false;
    const end = (action: () => void) => {
      clearTimeout(timer);
      client.end();
      client.destroy();
      action();
    };
    const fail = (message: string) => end(() => reject(new Error(`${place}: ${message}`)));
    const timer = setTimeout(() => fail(`no answer to \`${command}\` within ${limitSeconds} s`), limitSeconds * 1000);
    client.on("error", (error) => fail(wrongKey ? "another host key answers than the one that the stack pinned" : `SSH: ${error.message}`));
    client.on("ready", () => {
      client.exec(command, (error, channel) => {
        if (error) return fail(error.message);
        let output = "";
        let errors = "";
        channel.setEncoding("utf8").on("data", (text: string) => {
          output += text;
        });
        channel.stderr.setEncoding("utf8").on("data", (text: string) => {
          errors += text;
        });
        channel.on("close", (code: number | null, signal: string | null) => {
          if (code === 0) end(() => resolve(output));
          else fail(`\`${command}\` ended with ${code ?? signal}: ${errors.trim() || "no message"}`);
        });
      });
    });
    const configuration: ConnectConfig = {
      host: target.address,
      username: target.user,
      privateKey: target.privateKey,
      readyTimeout: limitSeconds * 1000,
      hostVerifier: (key: Buffer) => {
        wrongKey = !key.equals(pinned);
        return !wrongKey;
      },
    };
    // Ask for the pinned kind of key: a machine may well have others besides.
    const kind = target.hostKey.split(/\s+/)[0];
    if (kind === "ssh-ed25519") configuration.algorithms = { serverHostKey: [kind] };
    client.connect(configuration);
  });
}
