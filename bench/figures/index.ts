import type { Figure } from "../figure.ts";
import { cobblerFigures } from "./cobbler.ts";
import { entryFigures } from "./entries.ts";
import { environmentFigures } from "./environment.ts";
import { inputFigures } from "./inputs.ts";
import { installFigures } from "./installs.ts";
import { labFigures } from "./lab.ts";
import { nfsFigures } from "./nfs.ts";
import { stateFigures } from "./state.ts";

/** Every row of the table, in its order. The lab's rows come last: they stop it. */
export const figures: readonly Figure[] = [
  ...installFigures,
  ...environmentFigures,
  ...cobblerFigures,
  ...entryFigures,
  ...inputFigures,
  ...stateFigures,
  ...nfsFigures,
  ...labFigures,
];
