import type { Database, Entity } from "./database.ts";
import { Failure } from "./failure.ts";
import type { Methods, Toolstack } from "./toolstack.ts";

/** A moment as XAPI writes it. */
export const stamp = () => new Date().toISOString().replace(/[-]|\.\d+/g, "");

/** Begins work as a task and returns the task at once. */
export function startTask({ database, sabotage }: Toolstack, name: string, work: () => Promise<unknown>): Entity {
  const task = database.create("task", { name_label: name, created: stamp(), allowed_operations: ["cancel"] });
  const end = (values: Record<string, unknown>) => {
    if (task.fields.status !== "pending") return;
    Object.assign(task.fields, values, { progress: 1, finished: stamp(), allowed_operations: [] });
    database.touch(task);
    database.save();
  };
  const run = async () => {
    if (sabotage.task(name) === "hangs") return;
    const result = await work();
    end({ status: "success", result: typeof result === "string" && result !== "" ? `<value>${result}</value>` : "" });
  };
  run().catch((error: unknown) => {
    const failure = error instanceof Failure ? error : new Failure("INTERNAL_ERROR", String(error));
    end({ status: "failure", error_info: [failure.code, ...failure.parameters] });
  });
  return task;
}

export function taskMethods(database: Database): Methods {
  const get = (ref: string) => database.get("task", ref);
  return {
    "task.create": {
      parameters: ["label", "description"],
      run: (label: string, description: string) =>
        database.create("task", { name_label: label, name_description: description, created: stamp() }).ref,
    },
    "task.destroy": { parameters: ["self"], run: (ref: string) => database.delete(get(ref)) },
    "task.cancel": {
      parameters: ["task"],
      run(ref: string) {
        const task = get(ref);
        if (task.fields.status !== "pending") throw new Failure("OPERATION_NOT_ALLOWED", "the task has ended");
        Object.assign(task.fields, { status: "cancelled", finished: stamp(), error_info: ["TASK_CANCELLED", ref] });
        database.touch(task);
      },
    },
  };
}
