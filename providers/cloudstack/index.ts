export { CloudStackClient } from "./client.ts";
export { isRelease, managementServer, usualPorts } from "./management-server.ts";
export { databaseGreeting } from "./service.ts";
