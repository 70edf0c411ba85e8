export { type TemplateInputs, templatesBelow } from "./staging.ts";

import "./ownership.ts";

export { markedStores } from "./marked.ts";
export { type StoreInputs, type StoreTemplate, store } from "./store.ts";
export { compressionOf, type ImageFormat, imageName, type Seeding, systemVmSeeding } from "./system-vm.ts";
export { template } from "./template.ts";
