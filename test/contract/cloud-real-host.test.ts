// cloudstack:Host against the emulator, which really connects: an SSH server of the test's own stands for the host.

import { generateKeyPairSync } from "node:crypto";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import ssh2 from "ssh2";
import { cluster, host, pod, zone } from "../../providers/cloudstack/index.ts";
import { podGiven, zoneGiven } from "../support/cloud-objects.ts";
import { failure } from "../support/context.ts";
import { TestCloud } from "../support/test-cloud.ts";

const cloud = TestCloud.forFile();
const PASSWORD = "secret-of-the-host";
let machine: ssh2.Server;
let given: { zone: string; pod: string; cluster: string; hypervisor: string; url: string; credential: string };

beforeAll(async () => {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  machine = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", (attempt) =>
      attempt.method === "password" && attempt.password === PASSWORD ? attempt.accept() : attempt.reject(["password"]),
    );
    client.on("session", (accept) =>
      accept().on("exec", (acceptExec) => {
        const stream = acceptExec();
        stream.write("kvm-1\n8\n2600\n16384000\n");
        stream.exit(0);
        stream.end();
      }),
    );
  });
  await new Promise<void>((resolve) => machine.listen(0, "127.0.0.1", () => resolve()));
  const place = { zone: "z0", pod: "z0-pod0" };
  const url = `http://127.0.0.1:${(machine.address() as AddressInfo).port}`;
  given = { ...place, cluster: "kvm", hypervisor: "KVM", url, credential: "password" };
  await cloud.up(zone, zoneGiven("z0"));
  await cloud.up(pod, podGiven("z0"));
  await cloud.up(cluster, { ...place, name: "kvm", hypervisor: "KVM" });
});

afterAll(() => new Promise<void>((resolve) => machine.close(() => resolve())));

const withPassword = (password: string) => cloud.contextWith({ password: { user: "root", password } });
const hosts = () => cloud.client.list("listHosts", "host", { type: "Routing" });

describe("a real host", () => {
  test("is known again by its address, also when its url is a name, and its password is in no state", async () => {
    const made = await cloud.up(host, given, undefined, withPassword(PASSWORD));
    expect(made).toMatchObject({ name: "kvm-1", ipAddress: "127.0.0.1" });
    expect(JSON.stringify(made)).not.toContain(PASSWORD);
    cloud.proxy.clear();
    expect((await cloud.up(host, given, undefined, withPassword(PASSWORD))).id).toBe(made.id);
    expect((await cloud.up(host, { ...given, url: "http://h11", address: "127.0.0.1" })).id).toBe(made.id);
    expect((await cloud.up(host, { ...given, url: "http://kvm-1.lab.test" })).id).toBe(made.id);
    expect(cloud.proxy.changes).toEqual([]);
    expect(await cloud.refresh(host, made)).toEqual({ tags: [], state: "Enabled" });
    await cloud.down(host, made);
    expect(await hosts()).toEqual([]);
  });

  test("that refuses the password is the server's error, without the password", async () => {
    const error = await failure(cloud.up(host, given, undefined, withPassword("wrong-password")));
    expect(error.message).toMatch(/Authentication error with host password/);
    expect(error.message).not.toContain("wrong-password");
    expect(await hosts()).toEqual([]);
  });

  test("that does not answer is the server's error", async () => {
    const error = await failure(cloud.up(host, { ...given, url: "http://127.0.0.1:1" }, undefined, withPassword(PASSWORD)));
    expect(error.message).toMatch(/Cannot find the server resources/);
  });

  test("without its credential is an error that names it, and nothing is sent", async () => {
    await expect(cloud.up(host, { ...given, credential: "nobody" })).rejects.toThrow("no credential nobody");
    expect(cloud.proxy.changes).toEqual([]);
  });
});
