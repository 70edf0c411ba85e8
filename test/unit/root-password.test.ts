// Root's password in answer files: only its hash leaves the provider, and the same for machines that share it.
import { expect, test } from "@jest/globals";
import { verify } from "unixcrypt";
import { rootPasswordHash } from "../../providers/installation/root-password.ts";
import { ours, testContext } from "../support/context.ts";

const context = (password?: string) => testContext(ours, { hosts: { privateKey: "k", ...(password === undefined ? {} : { password }) } });

test("the hash is crypt's of the credential's password", () => {
  const hash = rootPasswordHash(context("s3cr et'$"), "hosts");
  expect(hash).toMatch(/^\$6\$[./0-9A-Za-z]{16}\$[./0-9A-Za-z]{86}$/);
  expect([verify("s3cr et'$", hash), verify("another", hash)]).toEqual([true, false]);
});

test("machines that share a password share its hash, others do not", () => {
  expect(rootPasswordHash(context("one"), "hosts")).toBe(rootPasswordHash(context("one"), "hosts"));
  expect(rootPasswordHash(context("one"), "hosts")).not.toBe(rootPasswordHash(context("two"), "hosts"));
});

test.each([undefined, ""])("no password matches where the credential has %j", (password) => {
  expect(rootPasswordHash(context(password), "hosts")).toBe("*");
});
