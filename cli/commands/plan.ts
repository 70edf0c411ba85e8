import type { Command } from "commander";
import type { CloudPlan } from "../../stacks/cloud-plan.ts";
import type { ExternalPlan, Plan } from "../../stacks/plan.ts";
import { CommandError, exitStatus } from "../exit.ts";
import { projectFolder } from "../project.ts";
import { chosenStack, stackOption } from "../stack.ts";
import { table } from "../table.ts";

export function addPlan(program: Command): void {
  program
    .command("plan")
    .summary("print which machine gets what, and what the cloud consists of")
    .description(
      "Joins inventory, marvin configuration and stack file into the plan that `pulumi up` follows. Touches nothing and needs no lab.",
    )
    .option(...stackOption)
    .option("--json", "print the whole plan as JSON")
    .action(async (options: { stack?: string; json?: boolean }) => {
      const [{ loadInputs }, { renderFindings }] = await Promise.all([import("../../stacks/load.ts"), import("../../stacks/findings.ts")]);
      const stack = chosenStack(options.stack);
      const { findings, plan, external } = loadInputs(projectFolder, { stack });
      const errors = findings.filter((finding) => finding.severity === "error");
      const made = plan ?? external;
      if (!made || errors.length > 0)
        throw new CommandError(exitStatus.input, `Stack ${stack} has no plan while its inputs have faults.\n${renderFindings(errors)}`);
      process.stdout.write(
        options.json ? `${JSON.stringify(made, undefined, 2)}\n` : [...described(made), cloudTable(made.cloud)].join(""),
      );
    });
}

/** What is installed, and where the management server is. */
function described(plan: Plan | ExternalPlan): string[] {
  const head = `stack ${plan.stack}, site ${plan.site}`;
  if (!("machines" in plan)) {
    const { address, ports } = plan.managementServer;
    return [`${head}: nothing is installed; its management server ${address}:${ports.api} runs already\n`];
  }
  const machines = plan.managementServer ? [...plan.machines, plan.managementServer] : plan.machines;
  const rows = machines.map((machine) => [machine.name, machine.address, machine.profile, machine.generation, machine.why]);
  const stores = plan.stores.list.map((store) => [store.kind, `${store.server.address}:${store.path}`]);
  return [
    `${head}, generation ${plan.generation}\n`,
    table([["MACHINE", "ADDRESS", "PROFILE", "GENERATION", "WHY"], ...rows]),
    ...(stores.length > 0 ? [table([["STORE", "PLACE"], ...stores])] : []),
  ];
}

/** The zones with what is in them, by number. */
function cloudTable({ zones }: CloudPlan): string {
  const rows = zones.map((zone) => {
    const clusters = zone.pods.flatMap((pod) => pod.clusters);
    const pools = clusters.reduce((sum, { pools }) => sum + pools.length, zone.pools.length);
    const kind = zone.networkType === "Advanced" && zone.securityGroups ? "Advanced, security groups" : zone.networkType;
    const hosts = clusters.reduce((sum, cluster) => sum + cluster.hosts.length, 0);
    return [zone.name, kind, zone.pods.length, clusters.length, hosts, pools, zone.imageStores.length];
  });
  return table([["ZONE", "KIND", "PODS", "CLUSTERS", "HOSTS", "POOLS", "STORES"], ...rows]);
}
