import { connect } from "node:net";

/** How soon the engine is asked again after it closed the connection: it closes idle ones itself, after two minutes. */
const AGAIN_MILLISECONDS = 500;

/**
 * Calls `gone` when the engine of this deployment has ended without ending its providers: a killed one cannot, and its provider would
 * work on beside that of the next run. Watches nothing where no engine answers at first. Does not keep the process alive.
 * @param address `host:port`
 */
export function watchEngine(address: string, gone: () => void): void {
  const colon = address.lastIndexOf(":");
  const [host, port] = [address.slice(0, colon), Number(address.slice(colon + 1))];
  const ask = (known: boolean) => {
    let connected = false;
    const socket = connect({ host, port });
    socket.unref();
    socket.once("connect", () => {
      connected = true;
    });
    socket.on("error", () => undefined); // the close that follows is what counts
    socket.resume(); // a socket that nobody reads from never sees its end
    socket.once("close", () => {
      if (connected) setTimeout(() => ask(true), AGAIN_MILLISECONDS).unref();
      else if (known) gone();
    });
  };
  ask(false);
}
