export { parseMarvinSource } from "./json.ts";
export type { FindingText, Path, Source } from "./source.ts";
export { parseYamlSource } from "./yaml.ts";
