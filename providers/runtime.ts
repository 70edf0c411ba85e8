// What the stub in the state loads. An operation loads the code of its own system only: a process of a thousand name entries needs no XenServer.
import { dispatch as dispatchLoaded } from "./kernel/dispatch.ts";

/** By the first part of a resource's type. */
const systems: Record<string, () => Promise<unknown>> = {
  baremetal: () => import("./baremetal/index.ts"),
  cloudstack: () => import("./cloudstack/index.ts"),
  cobbler: () => import("./cobbler/index.ts"),
  dnsmasq: () => import("./dnsmasq/index.ts"),
  nfs: () => import("./nfs/index.ts"),
  puppet: () => import("./puppet/index.ts"),
  site: () => import("./site/index.ts"),
  xenserver: () => import("./xenserver/index.ts"),
};

/** For programs that look at every type: `allDefinitions` then has them. */
export async function loadEverySystem(): Promise<void> {
  await Promise.all(Object.values(systems).map((load) => load()));
}

export async function dispatch(kind: string, operation: string, args: readonly unknown[]): Promise<unknown> {
  // Not before `configure`, which others wait for.
  if (operation !== "configure") await systems[kind.slice(0, kind.indexOf(":"))]?.();
  return dispatchLoaded(kind, operation, args);
}
