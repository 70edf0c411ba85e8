import { type Command, type Commands, listReply } from "../command.ts";

const empty: Command = { run: (request) => listReply(request, "", []) };
const emptyForUsers: Command = { ...empty, forUsers: true };

/** What the emulated cloud has none of. */
export const emptyCommands: Commands = { listDedicatedZones: empty, listPublicIpAddresses: emptyForUsers };
