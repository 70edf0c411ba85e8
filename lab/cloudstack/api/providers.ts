import { type Commands, listReply, type Request } from "../command.ts";
import type { Database, Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { failed, invalidValue } from "../errors.ts";
import { childrenOf, is, isSet, isTrue, named, selected, shownPhysicalNetwork } from "../objects.ts";
import { addProvider, elementProviders, providerServices, wholeProviders } from "../providers.ts";

const CLASSES = "org.apache.cloudstack.api.command.admin.";

const providerReply = (row: Row): Reply => ({
  name: row.name,
  physicalnetworkid: row.physicalNetworkId,
  state: row.state,
  id: row.id,
  servicelist: row.services,
  canenableindividualservice: !wholeProviders.has(String(row.name)),
});

const elementReply = (row: Row): Reply => ({ id: row.id, nspid: row.providerId, enabled: row.enabled });

function create(request: Request): Row {
  const { cloud, parameters } = request;
  const { database } = cloud;
  const { name = "" } = parameters;
  const network = named(request, "physicalnetwork", "physicalnetworkid", "physical network");
  if (!(name in providerServices)) throw invalidValue(`Invalid Network Service Provider=${name}`);
  if (childrenOf(database, "provider", "physicalNetworkId", network).some((one) => one.name === name))
    throw failed(`The '${name}' provider already exists on physical network : ${shownPhysicalNetwork(network)}`);
  return addProvider(database, network, name, "Disabled");
}

/** An element that was configured, or a device that was added. */
function isReady(database: Database, provider: Row): boolean {
  const name = String(provider.name);
  if (elementProviders.has(name)) return childrenOf(database, "element", "providerId", provider).some((one) => one.enabled === true);
  return true;
}

function update(request: Request): Reply {
  const { database } = request.cloud;
  const { state, servicelist } = request.parameters;
  const row = named(request, "provider", "id", "Network Service Provider");
  if (state !== undefined && !["enabled", "disabled", "shutdown"].includes(state.toLowerCase()))
    throw invalidValue(`Unable to resolve state '${state}' to a supported value {Enabled or Disabled}`);
  if (state?.toLowerCase() === "enabled" && !isReady(database, row))
    throw failed("Provider is not ready, cannot Enable the provider, please configure the provider first");
  database.update(row, {
    ...(state ? { state: state.toLowerCase() === "enabled" ? "Enabled" : "Disabled" } : {}),
    ...(servicelist ? { services: servicelist.split(",") } : {}),
  });
  return { networkserviceprovider: providerReply(row) };
}

/** List and configure commands of one kind of element. */
function elementCommands(
  noun: string,
  list: string,
  configure: string,
  configureClass: string,
  providers: string[],
  type?: string,
): Commands {
  const ofKind = (database: Database) =>
    database.table("element").filter((one) => providers.includes(String(database.find(one.providerId)?.name)));
  return {
    [list]: {
      run(request) {
        const rows = selected(request, ofKind(request.cloud.database), { nspid: is("providerId"), enabled: isTrue("enabled") });
        return listReply(request, noun, rows.map(elementReply));
      },
    },
    [configure]: {
      job: { class: configureClass, ...(type ? { instanceType: type, namesInstance: false } : {}) },
      run(request) {
        const row = ofKind(request.cloud.database).find((one) => one.id === request.parameters.id);
        if (!row) throw invalidValue(`unable to find ${noun} by id ${request.parameters.id}`);
        request.cloud.database.update(row, { enabled: isSet(request.parameters.enabled) });
        return { [noun]: elementReply(row) };
      },
    },
  };
}

export const providerCommands: Commands = {
  listNetworkServiceProviders: {
    run(request) {
      const rows = selected(request, request.cloud.database.table("provider"), {
        physicalnetworkid: is("physicalNetworkId"),
        state: (row, wanted) => String(row.state).toLowerCase() === wanted.toLowerCase(),
      });
      return listReply(request, "networkserviceprovider", rows.map(providerReply));
    },
  },
  addNetworkServiceProvider: {
    job: { class: `${CLASSES}network.AddNetworkServiceProviderCmd`, instanceType: "PhysicalNetworkServiceProvider" },
    create,
    run: (_, row) => ({ networkserviceprovider: providerReply(row as Row) }),
  },
  updateNetworkServiceProvider: { job: { class: `${CLASSES}network.UpdateNetworkServiceProviderCmd` }, run: update },
  deleteNetworkServiceProvider: {
    job: { class: `${CLASSES}network.DeleteNetworkServiceProviderCmd` },
    run(request) {
      const { database } = request.cloud;
      const row = named(request, "provider", "id", "Network Service Provider");
      for (const table of ["element", "device"])
        for (const one of childrenOf(database, table, "providerId", row)) database.remove(table, one);
      database.remove("provider", row);
      return { success: true };
    },
  },
  ...elementCommands(
    ...(["virtualrouterelement", "listVirtualRouterElements", "configureVirtualRouterElement"] as const),
    `${CLASSES}router.ConfigureVirtualRouterElementCmd`,
    ["VirtualRouter", "VpcVirtualRouter"],
    "None",
  ),
  ...elementCommands(
    ...(["internalloadbalancerelement", "listInternalLoadBalancerElements", "configureInternalLoadBalancerElement"] as const),
    `${CLASSES}internallb.ConfigureInternalLoadBalancerElementCmd`,
    ["InternalLbVm"],
  ),
};
