import { accountCommands } from "./api/accounts.ts";
import { configurationCommands } from "./api/configuration.ts";
import { emptyCommands } from "./api/empty.ts";
import { jobCommands } from "./api/jobs.ts";
import { serverCommands } from "./api/server.ts";
import { userCommands } from "./api/users.ts";
import type { Commands } from "./command.ts";

/** Every command that the emulator serves; the catalogue knows more, and those are refused as not emulated. */
export const commands: Commands = {
  ...accountCommands,
  ...configurationCommands,
  ...emptyCommands,
  ...jobCommands,
  ...serverCommands,
  ...userCommands,
};
