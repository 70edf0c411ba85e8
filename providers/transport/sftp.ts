import type { SFTPWrapper, Client as Ssh2Client } from "ssh2";
import { TestbedError } from "../kernel/index.ts";

/** The files of a host, over SFTP. */
export interface RemoteFiles {
  /** The content, or undefined where there is no such file. */
  read(path: string): Promise<Buffer | undefined>;
  /** Replaces the whole file: readers see the old content or the new, never a part. @default mode 0o644 */
  write(path: string, content: Buffer | string, options?: { mode?: number }): Promise<void>;
}

/** SSH_FX_NO_SUCH_FILE */
const NO_SUCH_FILE = 2;

/** Seconds for one file, opening the channel included. */
const FILE_SECONDS = 60;

export function remoteFiles(client: Ssh2Client, system: string): RemoteFiles {
  /** One channel per file: it ends with the work, also when that fails. */
  function withSftp<T>(path: string, work: (sftp: SFTPWrapper, done: (error: unknown, value?: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (kind: "timeout" | "unreachable" | "refused", message: string, code?: string, cause?: unknown) => {
        clearTimeout(timer);
        reject(new TestbedError({ system, object: path, kind, message, ...(code ? { code } : {}), cause }));
      };
      let end = () => void client.destroy();
      const timer = setTimeout(() => {
        end();
        fail("timeout", `the transfer did not end within ${FILE_SECONDS} s`);
      }, FILE_SECONDS * 1000);
      const opened = (opening: Error | undefined, sftp: SFTPWrapper) => {
        if (opening) return fail("unreachable", `no SFTP: ${opening.message}`, undefined, opening);
        end = () => void sftp.end();
        work(sftp, (error, value) => {
          end();
          if (error) {
            const { code, message } = error as { code?: number; message?: string };
            return fail(code === undefined ? "unreachable" : "refused", message ?? String(error), `sftp-${code ?? "cut"}`, error);
          }
          clearTimeout(timer);
          resolve(value as T);
        });
      };
      try {
        client.sftp(opened);
      } catch (error) {
        // ssh2 throws at once when the connection is gone already.
        fail("unreachable", `no SFTP: ${String(error)}`, undefined, error);
      }
    });
  }

  return {
    read: (path) =>
      withSftp<Buffer | undefined>(path, (sftp, done) =>
        sftp.readFile(path, (error, content) => {
          if ((error as { code?: number } | undefined)?.code === NO_SUCH_FILE) return done(undefined, undefined);
          done(error, content);
        }),
      ),
    write: (path, content, { mode = 0o644 } = {}) =>
      withSftp<void>(path, (sftp, done) => {
        const beside = `${path.replace(/[^/]*$/, "")}.${path.split("/").at(-1)}.new`;
        const failed = (error: unknown) => sftp.unlink(beside, () => done(error));
        sftp.writeFile(beside, content, { mode }, (writing) => {
          if (writing) return failed(writing);
          // The plain rename of SFTP refuses an existing target; OpenSSH's extension replaces it in one step.
          sftp.ext_openssh_rename(beside, path, (renaming) => (renaming ? failed(renaming) : done(undefined)));
        });
      }),
  };
}
