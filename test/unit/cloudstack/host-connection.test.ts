// Real hosts of the emulator: an SSH server of the test's own stands for the host.

import { generateKeyPairSync } from "node:crypto";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import ssh2 from "ssh2";
import { connect, isReachable } from "../../../lab/cloudstack/host-connection.ts";

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});

let host: ssh2.Server;
let port: number;

beforeAll(async () => {
  host = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", (attempt) => {
      if (attempt.method === "password" && attempt.username === "root" && attempt.password === "right") attempt.accept();
      else attempt.reject(["password"]);
    });
    client.on("session", (accept) =>
      accept().on("exec", (acceptExec) => {
        const stream = acceptExec();
        stream.write("kvm-1\n8\n2600\n16384000\n");
        stream.exit(0);
        stream.end();
      }),
    );
  });
  await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", () => resolve()));
  port = (host.address() as AddressInfo).port;
});

afterAll(() => new Promise<void>((resolve) => host.close(() => resolve())));

const target = (password: string, at = port) => ({ hypervisor: "KVM", address: "127.0.0.1", port: at, username: "root", password });

test("a host is asked for its name and its size", async () => {
  expect(await connect(target("right"), "http://127.0.0.1")).toEqual({
    name: "kvm-1",
    ipAddress: "127.0.0.1",
    cores: 8,
    speed: 2600,
    memory: 16384000 * 1024,
    capabilities: "hvm,snapshot",
    hypervisorVersion: "",
  });
});

test("a wrong password is the server's error for it", async () => {
  await expect(connect(target("wrong"), "http://127.0.0.1")).rejects.toMatchObject({
    errorcode: 530,
    message: "Could not add host at [http://127.0.0.1] due to: [Authentication error with host password].",
  });
});

test("nothing at the address is another error", async () => {
  await expect(connect(target("right", 1), "http://127.0.0.1")).rejects.toMatchObject({
    errorcode: 530,
    message: "Unable to add the host: Cannot find the server resources at http://127.0.0.1",
  });
});

test("a port that answers is reachable, another one is not", async () => {
  expect(await isReachable("127.0.0.1", port)).toBe(true);
  expect(await isReachable("127.0.0.1", 1)).toBe(false);
});
