import type { ClientChannel, Client as Ssh2Client } from "ssh2";

/** A channel that was refused is asked for again after this. */
const SLOT_MILLISECONDS = 50;

/** One argument for a POSIX shell: inside single quotes nothing is special but the quote itself. `=` is quoted: it could assign. */
function shellQuote(argument: string): string {
  return /^[A-Za-z0-9_./:@%+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

/** Opens the channel of one command. sshd frees the place of a command a moment after it said that it ended: until then it refuses a new one. */
export function openChannel(client: Ssh2Client, command: readonly string[], wanted: () => boolean): Promise<ClientChannel> {
  const line = command.map(shellQuote).join(" ");
  return new Promise((resolve, reject) => {
    const ask = () =>
      client.exec(line, (error, stream) => {
        if (!error) return resolve(stream);
        // Only a refused channel has a reason.
        if (!("reason" in error)) return reject(error);
        setTimeout(() => (wanted() ? ask() : reject(error)), SLOT_MILLISECONDS);
      });
    ask();
  });
}
