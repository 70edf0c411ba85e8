// Run inside a lab: `up` installs the VM `management`, `restart` changes its memory. Prints what came of it as JSON.
import { readFileSync, writeFileSync } from "node:fs";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { testContext } from "./context.ts";
import { LightVm } from "./xen-server.ts";

const [step, file] = process.argv.slice(2) as ["up" | "restart", string];
const vm = new LightVm();
/** A boot under TCG takes ten times as long as that of a light host. */
const limits = { installSeconds: 240, powerSeconds: 120 };

async function run() {
  const context = { ...testContext(), signal: AbortSignal.timeout(300_000) };
  if (step === "up") {
    await vm.around.prepare();
    return vm.up(limits, undefined, context);
  }
  const previous = JSON.parse(readFileSync(file, "utf8"));
  return vm.up({ ...limits, memoryMiB: 320 }, previous, context);
}

const { phases, state } = await run();
writeFileSync(file, JSON.stringify(state));
await closeSharedSsh();
process.stdout.write(JSON.stringify({ phases, token: state.tokenFingerprint }));
process.exit(0);
