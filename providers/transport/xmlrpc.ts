import { createRequire } from "node:module";
import { TestbedError } from "../kernel/index.ts";

const xmlrpc = createRequire(import.meta.url)("xmlrpc") as typeof import("xmlrpc");

export type XmlRpcValue = string | number | boolean | XmlRpcValue[] | { [key: string]: XmlRpcValue };

/** A fault as the server sent it. What it means, the provider of that server knows. */
export class XmlRpcFault extends Error {
  readonly faultCode: number;
  constructor(faultCode: number, faultString: string) {
    super(faultString);
    this.name = "XmlRpcFault";
    this.faultCode = faultCode;
  }
}

export interface XmlRpcClient {
  call(method: string, parameters: readonly XmlRpcValue[]): Promise<XmlRpcValue>;
}

/** An XML-RPC client over HTTP. Every call is bounded; a server that cannot be reached is a TestbedError of kind `unreachable`. */
export function xmlRpcClient(url: string, options: { system: string; timeoutSeconds: number }): XmlRpcClient {
  const target = new URL(url);
  const create = target.protocol === "https:" ? xmlrpc.createSecureClient : xmlrpc.createClient;
  // One request per connection: cobblerd speaks HTTP/1.0 and closes after each reply (cobbler facts §1).
  const client = create({
    host: target.hostname,
    port: Number(target.port || (target.protocol === "https:" ? 443 : 80)),
    path: target.pathname,
  });
  return {
    call(method, parameters) {
      return new Promise((resolve, reject) => {
        const unreachable = (message: string, cause?: unknown) =>
          new TestbedError({
            system: options.system,
            object: method,
            kind: "unreachable",
            message,
            remedy: `is the server running, and reachable at ${url} from here?`,
            cause,
          });
        const timer = setTimeout(() => reject(unreachable(`no answer within ${options.timeoutSeconds} s`)), options.timeoutSeconds * 1000);
        client.methodCall(method, [...parameters], (error: unknown, value: unknown) => {
          clearTimeout(timer);
          if (!error) return resolve(value as XmlRpcValue);
          const fault = error as { faultCode?: number; faultString?: string; message?: string; code?: string };
          if (fault.faultString !== undefined) return reject(new XmlRpcFault(fault.faultCode ?? 0, fault.faultString));
          reject(unreachable(fault.message ?? String(error), error));
        });
      });
    },
  };
}
