import { findMarks } from "../kernel/index.ts";
import { keysByType, type MarkedObject, type MarkedSystem } from "../kernel/marked.ts";
import { type Driver, runOnDriver } from "../site/index.ts";
import { certificate } from "./certificate.ts";
import { MARKED, RELEASE } from "./module-scripts.ts";
import { type ModulesInputs, modules, onDriver } from "./modules.ts";

/** Where the driver keeps what was cleaned for which stack, unless a stack says otherwise. */
const notesDirectory: string = certificate.inputs.shape.directory?.parse(undefined) as string;

const NOTES = `
for file in "$1"/*; do
  [ -f "$file" ] && IFS= read -r mark <"$file" && printf '%s\\t%s\\n' "\${file##*/}" "$mark"
done
exit 0
`;

/** Lines `NAME TAB MARK`, one object for each name. */
function objects(text: string, key: (name: string) => string, object: (name: string) => string): MarkedObject[] {
  const lines = text.split("\n").filter(Boolean);
  const names = [...new Set(lines.map((line) => line.split("\t")[0] ?? ""))];
  return names
    .map((name) => ({
      key: key(name),
      object: object(name),
      marks: findMarks(lines.filter((line) => line.startsWith(`${name}\t`)).join("\n")),
    }))
    .filter(({ marks }) => marks.length > 0);
}

/** The certificates that stacks had cleaned for their machines. The CA itself keeps no mark: the notes beside it do. */
export function markedCertificates(server: Driver, master: string, directory = notesDirectory): MarkedSystem {
  return {
    system: `puppet CA ${server.address}`,
    server: server.address,
    keysOf: keysByType({ [certificate.type]: ({ certname }) => [`certificate/${certname}`] }),
    async list(context) {
      const text = await runOnDriver(context, server, "certificates", NOTES, [directory]);
      return objects(
        text,
        (name) => `certificate/${name}`,
        (name) => `certificate ${name}`,
      );
    },
    async remove(context, { key }) {
      const given = { server, master, directory, certname: key.slice("certificate/".length), generation: "removed" };
      await certificate.remove(context, certificate.inputs.parse(given) as unknown as Parameters<typeof certificate.remove>[1]);
    },
  };
}

/** The puppet modules that stacks distributed. A resource stands for all in its folder: its next run removes those it has no more. */
export function markedModules(server: Driver, modulesDirectory: string): MarkedSystem {
  const inputs: ModulesInputs = { server, modulesDirectory, manifestsDirectory: "", source: "", digest: "" };
  const prefix = `puppet module ${modulesDirectory}/`;
  return {
    system: `driver ${server.address}`,
    server: server.address,
    keysOf: keysByType({ [modules.type]: (known) => [`modules${known.modulesDirectory}`] }),
    async list(context) {
      return objects(
        await onDriver(context, inputs, MARKED),
        () => `modules${modulesDirectory}`,
        (name) => `${prefix}${name}`,
      );
    },
    async remove(context, { object }) {
      const all = objects(
        await onDriver(context, inputs, MARKED),
        (name) => name,
        (name) => `${prefix}${name}`,
      );
      await onDriver(
        context,
        inputs,
        RELEASE,
        all.filter((one) => one.object !== object).map((one) => one.key),
      );
    },
  };
}
