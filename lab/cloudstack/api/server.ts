import { type CommandDescription, commandCatalogue } from "../catalogue.ts";
import { type Commands, listReply, type Request } from "../command.ts";
import { RELEASE, type Reply } from "../envelope.ts";
import { ApiFault } from "../errors.ts";
import { isAdministrator } from "./users.ts";

function capabilities({ caller }: Request): Reply {
  const administrator = isAdministrator(caller.account);
  return {
    securitygroupsenabled: false,
    dynamicrolesenabled: true,
    cloudstackversion: RELEASE,
    userpublictemplateenabled: true,
    supportELB: "false",
    projectinviterequired: false,
    allowusercreateprojects: true,
    customdiskofferingminsize: 1,
    customdiskofferingmaxsize: 1024,
    regionsecondaryenabled: false,
    kvmsnapshotenabled: false,
    allowuserviewdestroyedvm: administrator,
    allowuserexpungerecovervm: administrator,
    allowuserexpungerecovervolume: true,
    allowuserviewalldomainaccounts: false,
    allowuserforcestopvm: true,
    kubernetesserviceenabled: true,
    kubernetesclusterexperimentalfeaturesenabled: false,
    customhypervisordisplayname: "Custom",
    defaultuipagesize: 20,
    instancesstatsretentiontime: 720,
    instancesstatsuseronly: false,
    instancesdisksstatsretentionenabled: false,
    instancesdisksstatsretentiontime: 720,
    sharedfsvmmincpucount: 2,
    sharedfsvmminramsize: 1024,
    dynamicscalingenabled: false,
    additionalconfigenabled: false,
  };
}

function describe(command: CommandDescription): Reply {
  const { name, isasync, since, params, response } = command;
  return {
    name,
    isasync,
    ...(since ? { since } : {}),
    params: Object.entries(params).map(([parameter, [type, length, required]]) => ({ name: parameter, type, length, required })),
    response: response.map((field) => ({ name: field })),
  };
}

export const serverCommands: Commands = {
  listCapabilities: { forUsers: true, run: (request) => ({ capability: capabilities(request) }) },
  cloudianIsEnabled: { run: () => ({ cloudianisenabled: { enabled: false, url: "https://cmc.cloudian.com:8443/Cloudian/" } }) },
  listManagementServers: {
    run(request) {
      const { cloud } = request;
      const server = {
        ...{ id: cloud.database.serverId, name: "localhost", state: "Up", version: RELEASE },
        ...{ javadistribution: "Debian", javaversion: "17.0.15+6-Debian-1deb12u1", osdistribution: "Debian GNU/Linux 12 (bookworm)" },
        lastserverstart: cloud.started,
        ...(cloud.database.lastStop ? { lastserverstop: cloud.database.lastStop } : {}),
        ...{ lastboottime: cloud.started, serviceip: "127.0.0.1", ipaddress: "127.0.0.1" },
      };
      return listReply(request, "managementserver", [server]);
    },
  },
  listApis: {
    forUsers: true,
    run(request) {
      const allowed = [...commandCatalogue.values()].filter(
        (one) => isAdministrator(request.caller.account) || request.cloud.mayUse(request.caller, one.name),
      );
      const { name } = request.parameters;
      const found = allowed.filter((one) => name === undefined || one.name === name);
      if (found.length === 0)
        throw new ApiFault(530, 9999, "Api Discovery plugin was unable to find an api by that name or process any apis");
      return listReply(request, "api", found.map(describe));
    },
  },
};
