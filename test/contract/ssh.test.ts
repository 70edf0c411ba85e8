// The SSH transport against a real sshd with three host keys, whose cable can be pulled.
import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { keyFingerprint } from "../../providers/transport/host-key.ts";
import { closeSharedSsh, connectSsh, type SshConnection, sshExec } from "../../providers/transport/ssh.ts";
import { failure } from "../support/context.ts";
import { Sshd } from "../support/sshd.ts";

let server: Sshd;
let connection: SshConnection;
const target = () => ({ address: server.address, user: "root", privateKey: server.privateKey });

// The process that serves the connection; between it and the command there may be the account's shell.
const serving = 'p=$PPID; while [ "$(cat /proc/$p/comm)" != sshd ]; do p=$(cut -d" " -f4 /proc/$p/stat); done; echo $p';

beforeAll(async () => {
  server = new Sshd(["ed25519", "ecdsa", "rsa"]);
  await server.start();
  connection = await connectSsh({ ...target(), hostKey: server.hostKey("ed25519") });
});

afterAll(async () => {
  connection.close();
  await closeSharedSsh();
  await server.remove();
});

describe("a pinned host key", () => {
  test.each(["ed25519", "ecdsa", "rsa"])("of type %s is met although the host has others too", async (type) => {
    for (const hostKey of [server.hostKey(type), keyFingerprint(server.hostKey(type))]) {
      const open = await connectSsh({ ...target(), hostKey });
      open.close();
      expect(open.hostKey).toBe(server.hostKey(type).split(" ").slice(0, 2).join(" "));
    }
  });

  test("of another machine is refused as a conflict, naming both fingerprints", async () => {
    const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIND0CS503dOsNAlb/BKVFKPIZNg4REC81h+dBSbQ3c2n";
    const error = await failure(connectSsh({ ...target(), hostKey: other }));
    expect([error.kind, error.code]).toEqual(["conflict", "host-key"]);
    expect(error.message).toContain(`expected ${keyFingerprint(other)}`);
    expect(error.message).toContain(keyFingerprint(server.hostKey("ed25519")));
  });

  test("given as the fingerprint of another machine is refused, naming every key that the host has", async () => {
    const error = await failure(connectSsh({ ...target(), hostKey: `SHA256:${"A".repeat(43)}` }));
    expect(error.code).toBe("host-key");
    for (const type of ["ed25519", "ecdsa", "rsa"]) expect(error.message).toContain(keyFingerprint(server.hostKey(type)));
  });

  test("of a type that the host does not have is a conflict, not an unreachable host", async () => {
    const file = join(server.folder, "p521");
    execFileSync("ssh-keygen", ["-q", "-t", "ecdsa", "-b", "521", "-N", "", "-f", file]);
    const error = await failure(connectSsh({ ...target(), hostKey: readFileSync(`${file}.pub`, "utf8") }));
    expect([error.kind, error.code]).toEqual(["conflict", "host-key"]);
    expect(error.message).toContain("has no key of this type");
  });
});

test("a key that the host does not accept is refused as authentication", async () => {
  const stranger = join(server.folder, "stranger");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", stranger]);
  const error = await failure(connectSsh({ ...target(), privateKey: readFileSync(stranger, "utf8") }));
  expect([error.kind, error.code]).toEqual(["refused", "authentication"]);
  expect(error.message).not.toContain("PRIVATE KEY");
});

test("a port where nobody listens is unreachable", async () => {
  expect((await failure(connectSsh({ ...target(), port: 1 }))).kind).toBe("unreachable");
});

describe("a command", () => {
  const hostile = [
    "",
    " ",
    "'",
    '"; rm -rf / #',
    "$(id) `id` $HOME $" + "{PATH}",
    "a\nb\r\n\tc",
    "\\",
    "\\'",
    "!! * ? [a] {b,c} ~ ~root",
    "&& || ; | > /dev/null <",
    "-n",
    "--",
    "A=b",
    "ünï 漢字 🚀",
    "\u0001\u001b[31m",
    "'\\''".repeat(50),
  ];

  test("gets hostile arguments exactly as they are", async () => {
    const { stdout, status } = await connection.exec(["printf", "%s\\0", ...hostile]);
    expect(status).toBe(0);
    expect(stdout.split("\0").slice(0, -1)).toEqual(hostile);
  });

  test("is looked up by its name even where that looks like an assignment", async () => {
    const { status, stderr } = await connection.exec(["A=b", "id"]);
    expect(status).toBe(127);
    expect(stderr).toContain("A=b");
  });

  test("with a NUL in an argument is refused before it is sent", async () => {
    expect((await failure(connection.exec(["printf", "a\0b"]))).kind).toBe("invalid");
  });

  test("gets its standard input, and a megabyte of text comes back unbroken", async () => {
    const text = "漢".repeat(350_000);
    expect((await connection.exec(["cat"], { stdin: text })).stdout === text).toBe(true);
  });

  test("waits for its turn where the host runs as many as it allows already", async () => {
    const many = Array.from({ length: 25 }, (_, index) => connection.exec(["sh", "-c", `sleep 0.1; echo ${index}`]));
    expect((await Promise.all(many)).map((one) => one.stdout.trim())).toEqual(many.map((_, index) => String(index)));
  });

  test("keeps status and both streams apart", async () => {
    expect(await connection.exec(["sh", "-c", "echo out; echo err >&2; exit 7"])).toEqual({ status: 7, stdout: "out\n", stderr: "err\n" });
  });

  test("that takes too long is a timeout, and others on the same connection go on", async () => {
    const slow = failure(connection.exec(["sleep", "60"], { timeoutSeconds: 1 }));
    const other = connection.exec(["sh", "-c", "sleep 2; echo fine"]);
    expect((await slow).kind).toBe("timeout");
    expect((await other).stdout).toBe("fine\n");
  });
});

describe("files", () => {
  const path = () => join(server.folder, "data.bin");

  test("are written whole with their mode, and read back byte by byte", async () => {
    const content = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256));
    await connection.files.write(path(), "old content");
    await connection.files.write(path(), content, { mode: 0o600 });
    expect(content.equals((await connection.files.read(path())) as Buffer)).toBe(true);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });

  test("that do not exist read as undefined", async () => {
    expect(await connection.files.read(join(server.folder, "nothing"))).toBeUndefined();
  });

  test("that cannot be written are refused by path, and leave no half file", async () => {
    const error = await failure(connection.files.write(join(server.folder, "no/such/folder/file"), "text"));
    expect([error.kind, error.object]).toEqual(["refused", join(server.folder, "no/such/folder/file")]);
    const taken = join(server.folder, "taken");
    execFileSync("mkdir", ["-p", join(taken, "inner")]);
    expect((await failure(connection.files.write(taken, "text"))).kind).toBe("refused");
    expect(readdirSync(server.folder)).not.toContain(".taken.new");
  });

  test("of a folder cannot be read as a file", async () => {
    expect((await failure(connection.files.read(server.folder))).kind).toBe("refused");
  });
});

describe("the shared connection", () => {
  const shared = () => ({ ...target(), hostKey: server.hostKey("rsa") });

  test("is one for many commands at once", async () => {
    const ports = await Promise.all(Array.from({ length: 60 }, () => sshExec(shared(), ["sh", "-c", "echo $SSH_CONNECTION"])));
    expect(new Set(ports.map((one) => one.stdout)).size).toBe(1);
  });

  test("that was cut fails its commands as unreachable and is opened anew for the next", async () => {
    const parent = (await sshExec(shared(), ["sh", "-c", serving])).stdout.trim();
    const running = [1, 2].map(() => failure(sshExec(shared(), ["sleep", "30"])));
    const script = join(server.folder, "cut");
    writeFileSync(script, `#!/bin/sh\nsleep 0.2\nkill ${parent}\n`);
    chmodSync(script, 0o755);
    await Promise.all([failure(sshExec(shared(), [script])), ...running]).then((errors) => {
      for (const error of errors) expect([error.kind, error.message]).toEqual(["unreachable", expect.stringContaining("cut")]);
    });
    const after = await Promise.all([1, 2, 3].map(() => sshExec(shared(), ["sh", "-c", serving])));
    expect(new Set(after.map((one) => one.stdout.trim())).size).toBe(1);
    expect(after[0]?.stdout.trim()).not.toBe(parent);
  });
});

test("a shared connection whose peer hangs is closed from our side alone", async () => {
  const shared = { ...target(), hostKey: server.hostKey("ecdsa") };
  const pid = (await sshExec(shared, ["sh", "-c", serving])).stdout.trim();
  process.kill(Number(pid), "SIGSTOP");
  try {
    const started = performance.now();
    await closeSharedSsh();
    expect(performance.now() - started).toBeLessThan(10_000);
  } finally {
    process.kill(Number(pid), "SIGKILL");
  }
  expect((await sshExec(shared, ["echo", "again"])).stdout).toBe("again\n");
});

test("a peer that dies without a word is noticed while a command runs", async () => {
  const open = await connectSsh(target());
  const running = failure(open.exec(["sleep", "300"], { timeoutSeconds: 100 }));
  server.cable("down");
  try {
    expect((await running).kind).toBe("unreachable");
  } finally {
    server.cable("up");
  }
});
