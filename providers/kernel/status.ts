import { createRequire } from "node:module";
import { redact } from "./redact.ts";

// Pulumi ships its protocol as CommonJS without typings of use here; these are the three calls needed.
interface EngineProtocol {
  client: { log(request: unknown, done: (error: Error | null) => void): void };
  request(severity: number, message: string, urn: string, ephemeral: boolean): unknown;
}

const require = createRequire(import.meta.url);
let engine: EngineProtocol | undefined | null;

/** The engine of this deployment: its address is the first argument of the provider process, and of no other. */
function connect(): EngineProtocol | null {
  const address = process.argv[2];
  if (!address || !/^[\w.-]+:\d+$/.test(address) || !process.argv[1]?.includes("dynamic-provider")) return null;
  const grpc = require("@grpc/grpc-js");
  const services = require("@pulumi/pulumi/proto/engine_grpc_pb.js");
  const messages = require("@pulumi/pulumi/proto/engine_pb.js");
  return {
    client: new services.EngineClient(address, grpc.credentials.createInsecure()),
    request(severity, message, urn, ephemeral) {
      const request = new messages.LogRequest();
      request.setSeverity(severity);
      request.setMessage(message);
      request.setUrn(urn);
      request.setEphemeral(ephemeral);
      return request;
    },
  };
}

/** Shows a text in the status column of the resource's own row; a warning also stays under Diagnostics. */
export function showStatus(urn: string, text: string, severity: "info" | "warning" = "info"): void {
  if (engine === undefined) engine = connect();
  if (!engine) return;
  const request = engine.request(severity === "info" ? 1 : 2, redact(text), urn, severity === "info");
  // A row that cannot be drawn must not fail the work it describes; the journal has the same phase.
  engine.client.log(request, () => undefined);
}
