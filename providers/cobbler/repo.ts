import { z } from "zod";
import { defineResource } from "../kernel/index.ts";
import type { CobblerConnection } from "./connection.ts";
import { common, options, textList, textRecord } from "./fields.ts";
import { type ItemOutputs, type ItemShape, observeItem, reconcileItem, removeItem } from "./item.ts";

const breeds = ["yum", "apt", "rsync", "wget"] as const;
const arches = ["x86_64", "i386", "aarch64", "ppc64le", "noarch", "src", "none"] as const;
const mirrorTypes = ["baseurl", "mirrorlist", "metalink"] as const;

export interface RepoInputs {
  server: CobblerConnection;
  name: string;
  adopt: boolean;
  breed: (typeof breeds)[number];
  arch: (typeof arches)[number];
  mirror: string;
  mirrorType: (typeof mirrorTypes)[number];
  mirrorLocally: boolean;
  keepUpdated: boolean;
  priority: number;
  proxy: string;
  packages: string[];
  aptComponents: string[];
  aptDists: string[];
  yumOptions: Record<string, string>;
  rsyncOptions: Record<string, string>;
  environment: Record<string, string>;
  createrepoFlags: string;
}

const shape: ItemShape<RepoInputs> = {
  kind: "repo",
  // The breed before the mirror: cobbler guesses one from the mirror's address otherwise.
  attributes: (inputs) => ({
    breed: inputs.breed,
    arch: inputs.arch,
    mirror: inputs.mirror,
    mirror_type: inputs.mirrorType,
    mirror_locally: inputs.mirrorLocally,
    keep_updated: inputs.keepUpdated,
    priority: inputs.priority,
    proxy: inputs.proxy,
    rpm_list: inputs.packages,
    apt_components: inputs.aptComponents,
    apt_dists: inputs.aptDists,
    yumopts: inputs.yumOptions,
    rsyncopts: inputs.rsyncOptions,
    environment: inputs.environment,
    createrepo_flags: inputs.createrepoFlags,
  }),
  inputs: (item) => ({
    breed: String(item.breed) as RepoInputs["breed"],
    arch: String(item.arch) as RepoInputs["arch"],
    mirror: String(item.mirror),
    mirrorType: String(item.mirror_type) as RepoInputs["mirrorType"],
    mirrorLocally: item.mirror_locally === true,
    keepUpdated: item.keep_updated === true,
    priority: Number(item.priority),
    proxy: String(item.proxy),
    packages: textList(item.rpm_list),
    aptComponents: textList(item.apt_components),
    aptDists: textList(item.apt_dists),
    yumOptions: textRecord(item.yumopts),
    rsyncOptions: textRecord(item.rsyncopts),
    environment: textRecord(item.environment),
    createrepoFlags: String(item.createrepo_flags),
  }),
};

const INHERIT = "<<inherit>>";

/** Everything about a repository but where it is; the site's inventory has the same. */
export const repoFields = {
  breed: z.enum(breeds).default("yum").describe("How it is mirrored and what clients it is for."),
  arch: z.enum(arches).default("x86_64").describe("Architecture of its packages; `none` where it does not matter."),
  mirror: z.string().min(1).describe("Address to install from, or to mirror, e.g. `http://mirror/centos/8/os`."),
  mirrorType: z.enum(mirrorTypes).default("baseurl").describe("What the address is."),
  mirrorLocally: z.boolean().default(false).describe("Machines use the copy on the cobbler server instead of the mirror."),
  keepUpdated: z.boolean().default(false).describe("`cobbler reposync` without a name fetches it too."),
  priority: z.int().min(0).max(99).default(99).describe("For yum's priorities plugin: 1 is the highest, 99 the lowest."),
  proxy: z.string().default(INHERIT).describe("Proxy for fetching; the server's setting `proxy_url_ext` unless given."),
  packages: z.array(z.string().min(1)).default([]).describe("Only these packages and what they need are mirrored; all where empty."),
  aptComponents: z.array(z.string().min(1)).default([]).describe("Components of an apt repository, e.g. `main`."),
  aptDists: z.array(z.string().min(1)).default([]).describe("Distributions of an apt repository, e.g. `bookworm`."),
  yumOptions: options.describe("Options of the repository in yum's configuration."),
  rsyncOptions: options.describe("Options of rsync; a flag is a key with the empty text."),
  environment: options.describe("Environment variables of the mirroring command."),
  createrepoFlags: z.string().default(INHERIT).describe("Flags of createrepo; the server's setting unless given."),
};

export const repo = defineResource<RepoInputs, ItemOutputs>({
  type: "cobbler:Repo",
  summary:
    "A package repository that profiles hand to what they install. Its content is fetched by `cobbler reposync`, never by this resource.",
  inputs: z.object({
    ...common,
    ...repoFields,
  }),
  outputs: { uid: "Cobbler's own id." },
  replaceOn: ["server.url", "name"],
  deadlineSeconds: 300,
  id: (inputs) => `repo/${inputs.name}`,
  observe: (context, inputs) => observeItem(shape, context, inputs),
  reconcile: (context, inputs, observed) => reconcileItem(shape, context, inputs, observed),
  remove: async (context, state) => void (await removeItem("repo", context, state)),
});
