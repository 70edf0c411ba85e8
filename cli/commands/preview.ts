import type { Command } from "commander";
import { become } from "../child.ts";
import { CommandError, exitStatus } from "../exit.ts";
import { type OpenStack, openStack, stackOption } from "../stack.ts";

export function addPreview(program: Command): void {
  program
    .command("preview")
    .summary("show what `up` would change")
    .description("`pulumi preview` of the stack with its environment. It needs no running lab: the program does no remote I/O.")
    .option(...stackOption)
    .option("--markdown", "print a table of what changes and why, for a comment in a code review; secrets are left out")
    .argument("[arguments...]", "more arguments for pulumi preview, after --")
    .action(async (more: string[], options: { stack?: string; markdown?: boolean }) => {
      const opened = openStack(options.stack);
      if (!options.markdown) become(["pulumi", "preview", "--stack", opened.stack, ...more], opened.environment);
      if (more.length > 0) throw new CommandError(exitStatus.input, `--markdown takes no more arguments, and got ${more.join(" ")}.`);
      await printMarkdown(opened);
    });
}

async function printMarkdown(opened: OpenStack): Promise<void> {
  const [{ previewDigest }, { stackCredentials }, { previewMarkdown }, { redact, rememberSecrets }] = await Promise.all([
    import("../../runner/digest.ts"),
    import("../../runner/pulumi.ts"),
    import("../../runner/markdown.ts"),
    import("../../providers/kernel/index.ts"),
  ]);
  const digest = await previewDigest(opened);
  // No argument of a resource is a secret; this is for one that somebody typed where it does not belong.
  for (const { user: _, ...secrets } of Object.values(await stackCredentials(opened))) rememberSecrets(secrets);
  process.stdout.write(previewMarkdown(opened.stack, digest, redact));
}
