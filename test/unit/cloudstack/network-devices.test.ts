// External devices are not in the recordings: what their commands do here follows the server's sources.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Cloud } from "../../../lab/cloudstack/cloud.ts";
import { Database } from "../../../lab/cloudstack/database.ts";
import type { Reply } from "../../../lab/cloudstack/envelope.ts";
import { ManualClock } from "../../support/cloud-clock.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudstack-devices-"));
const clock = new ManualClock();
let cloud: Cloud;
let physicalnetworkid: string;

beforeAll(async () => {
  cloud = new Cloud(new Database(join(folder, "database.json")), clock);
  const zone = { name: "z", dns1: "10.0.0.1", internaldns1: "10.0.0.1", networktype: "Advanced" };
  const { reply } = await cloud.run(cloud.system, "createZone", zone);
  const network = { zoneid: String((reply.zone as Reply).id), name: "p" };
  physicalnetworkid = String((await cloud.run(cloud.system, "createPhysicalNetwork", network)).reply.id);
});

afterAll(() => {
  cloud.end();
  rmSync(folder, { recursive: true });
});

async function job(command: string, parameters: Record<string, string>): Promise<Reply> {
  const { reply } = await cloud.run(cloud.system, command, parameters);
  await clock.advance(1);
  return (await cloud.run(cloud.system, "queryAsyncJobResult", { jobid: String(reply.jobid) })).reply;
}

const device = {
  url: "http://10.0.0.9?publicinterface=1/1&lbdevicecapacity=50",
  networkdevicetype: "NetscalerVPXLoadBalancer",
  username: "u",
  password: "p",
};

test("a device without its provider is refused in its job", async () => {
  expect(await job("addNetscalerLoadBalancer", { physicalnetworkid, ...device })).toMatchObject({
    jobstatus: 2,
    jobresult: { errorcode: 530, errortext: expect.stringMatching(/^Network Service Provider: Netscaler is not enabled/) },
  });
});

test("a device is added, listed with what its url said, not added twice, and deleted", async () => {
  await job("addNetworkServiceProvider", { physicalnetworkid, name: "Netscaler" });
  const made = await job("addNetscalerLoadBalancer", { physicalnetworkid, ...device });
  const shown = { provider: "Netscaler", ipaddress: "10.0.0.9", publicinterface: "1/1", lbdevicecapacity: "50" };
  expect(made).toMatchObject({ jobstatus: 1, jobresult: { netscalerloadbalancer: shown } });
  expect(await job("addNetscalerLoadBalancer", { physicalnetworkid, ...device })).toMatchObject({ jobstatus: 2 });
  const { reply } = await cloud.run(cloud.system, "listNetscalerLoadBalancers", { physicalnetworkid });
  expect(reply).toMatchObject({ count: 1, netscalerloadbalancer: [shown] });
  const [{ lbdeviceid }] = reply.netscalerloadbalancer as [{ lbdeviceid: string }];
  expect(await job("deleteNetscalerLoadBalancer", { lbdeviceid })).toMatchObject({ jobstatus: 1, jobresult: { success: true } });
  expect((await cloud.run(cloud.system, "listNetscalerLoadBalancers", { physicalnetworkid })).reply).toEqual({});
});
