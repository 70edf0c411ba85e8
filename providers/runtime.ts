// What the stub in the state loads: every definition registers itself, then operations are dispatched by type.
import "./baremetal/index.ts";
import "./cloudstack/index.ts";
import "./cobbler/index.ts";
import "./dnsmasq/index.ts";
import "./nfs/index.ts";
import "./puppet/index.ts";
import "./site/index.ts";
import "./xenserver/index.ts";

export { dispatch } from "./kernel/dispatch.ts";
