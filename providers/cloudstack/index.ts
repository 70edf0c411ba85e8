export { managementServer } from "./management-server.ts";
