import { backendAddress, ownerId } from "../../providers/kernel/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import type { CaseResult } from "../../runner/case.ts";
import { proveSite } from "../../runner/test-stack.ts";
import { loadInputs } from "../../stacks/load.ts";
import { testContext } from "./context.ts";
import type { Project } from "./project.ts";

const name = "cloudstack-testbed";

/** The stack's credentials, as `up` gets them. */
export async function credentialsOf(project: Project): Promise<Record<string, Record<string, string>>> {
  const { output } = await project.pulumi("config", "get", `${name}:credentials`, "--stack", project.stack);
  return JSON.parse(output) as Record<string, Record<string, string>>;
}

/** What `testbed test` finds on the site of a project, whose stack has been brought up. */
export async function suiteOf(project: Project): Promise<CaseResult[]> {
  const { plan } = loadInputs(project.folder, { stack: project.stack });
  if (!plan) throw new Error(`stack ${project.stack} has no plan`);
  const { output } = await project.pulumi("stack", "output", "--stack", project.stack, "--json");
  const credentials = await credentialsOf(project);
  const mark = { project: name, stack: project.stack, owner: ownerId(backendAddress(project.environment), name, project.stack) };
  try {
    return await proveSite({ context: testContext(mark, credentials), plan, machines: JSON.parse(output), credentials });
  } finally {
    await closeSharedSsh();
  }
}
