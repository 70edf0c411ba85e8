import { findMark, markText } from "../kernel/index.ts";
import { changedHands, defineOwnership, heldBy } from "../kernel/ownership.ts";
import { type CertificateInputs, certificate, note, READ, TAKE_NOTE } from "./certificate.ts";
import { localFiles } from "./module-files.ts";
import { TAKE, USERS } from "./module-scripts.ts";
import { type ModulesInputs, moduleNames, modules, onDriver } from "./modules.ts";

// A module without marks is somebody's own: it is neither shown nor taken, and `up` refuses it.
defineOwnership<ModulesInputs>(modules.type, {
  async holdings(context, inputs) {
    const rows = (await onDriver(context, inputs, USERS, moduleNames(localFiles(inputs.source)))).split("\n").filter(Boolean);
    const names = [...new Set(rows.map((row) => row.split("\t")[0] as string))];
    return names.map((name) => {
      const marks = rows.filter((row) => row.startsWith(`${name}\t`)).flatMap((row) => findMark(row) ?? []);
      return { object: `puppet module ${name}`, system: `driver ${inputs.server.address}`, ...heldBy(marks, context.mark, true) };
    });
  },
  async take(context, inputs, { object, holder }) {
    if (holder) await onDriver(context, inputs, TAKE, [object.slice("puppet module ".length), markText(holder)]);
  },
});

// What the driver notes of a machine's certificate: taken with it, a machine that stays keeps its certificate.
defineOwnership<CertificateInputs>(certificate.type, {
  async holdings(context, inputs) {
    const holder = findMark(await note(context, inputs, READ));
    return holder ? [{ object: `certificate ${inputs.certname}`, system: `driver ${inputs.server.address}`, holder }] : [];
  },
  async take(context, inputs, holding) {
    const holder = (await note(context, inputs, TAKE_NOTE, holding.holder ? markText(holding.holder) : "")).trim();
    if (holder !== markText(context.mark)) throw changedHands(holding, holder || "nobody");
  },
});
