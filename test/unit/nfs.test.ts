import { describe, expect, test } from "@jest/globals";
import { compressionOf, imageName, systemVmSeeding } from "../../providers/nfs/index.ts";

describe("whether secondary storage is seeded", () => {
  test.each([
    ["4.15.2.0", "KVM", true, { seed: true, format: "qcow2", id: 3 }],
    ["4.5.1", "XenServer", true, { seed: true, format: "vhd", id: 1 }],
    ["4.9.0", "VMware", true, { seed: true, format: "ova", id: 8 }],
    ["4.9.0", "Hyperv", true, { seed: true, format: "vhd", id: 9 }],
    ["4.16.0.0", "KVM", false, { seed: true, format: "qcow2", id: 3 }],
  ])("release %s with %s (from packages: %p) is, as its own format and row", (release, hypervisor, fromPackages, expected) => {
    expect(systemVmSeeding(release, hypervisor, fromPackages)).toEqual(expected);
  });

  test.each([
    ["4.16.0.0", "KVM", "release 4.16.0.0 seeds its stores from its own packages"],
    ["4.20.3.0", "XenServer", "release 4.20.3.0 seeds its stores from its own packages"],
    ["5.0", "VMware", "release 5.0 seeds its stores from its own packages"],
    ["4.15.2.0", "Simulator", "Simulator has no system-VM template"],
  ])("release %s with %s is not, and the reason is told", (release, hypervisor, reason) => {
    expect(systemVmSeeding(release, hypervisor, true)).toEqual({ seed: false, reason });
  });
});

test.each([
  ["http://x/systemvm-kvm.qcow2.bz2", "bzip2"],
  ["http://x/t.vhd.gz?token=a.bz2", "gzip"],
  ["http://x/t.ova", "none"],
  ["file:///srv/t.bz2", "bzip2"],
])("%s is packed by %s", (url, compression) => {
  expect(compressionOf(url)).toBe(compression);
});

test("the name of an image is made of its checksum, and of nothing else", () => {
  const checksum = `sha256:${"0123456789abcdef".repeat(4)}`;
  expect(imageName(checksum, "vhd")).toBe("01234567-89ab-cdef-0123-456789abcdef.vhd");
  expect(imageName(`md5:${"0123456789abcdef".repeat(2)}`, "vhd")).toBe(imageName(checksum, "vhd"));
});
