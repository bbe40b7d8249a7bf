// The tables about what is made in Windows: the service and the path.
import type { Database } from "./database.ts";
import { addComponent, installDirectory, versionDirectory } from "./installed-files.ts";

/** Set by the custom action ReadServiceState if the service runs. */
export const serviceWasRunning = "ServiceWasRunning";

/** True if the service is to run when the installation is done. */
export const isServiceStarted = `STARTSERVICE="1" OR ${serviceWasRunning}`;

/** Adds the service and its start, and INSTALLDIR in the PATH. */
export function addSystemChanges(database: Database, version: string): void {
  addService(database, version);
  const component = "PathEntry";
  addComponent(database, { name: component, resource: "path", directory: installDirectory });
  database.add("Environment", {
    Environment: "Path",
    // For the machine, set when installed and taken out when removed.
    Name: "=-*PATH",
    Value: "[~];[INSTALLDIR]",
    Component_: component,
  });
  database.add("RemoveFile", {
    FileKey: "InstallDirectory",
    Component_: component,
    // Without a name: the directory, if it is empty.
    DirProperty: installDirectory,
    InstallMode: 2,
  });
}

function addService(database: Database, version: string): void {
  const name = "Certwire";
  const component = "c_ServiceExe";
  const [ownProcess, automaticStart, normalError, isVital] = [0x10, 2, 1, 0x8000];
  database.add("ServiceInstall", {
    ServiceInstall: name,
    Name: name,
    DisplayName: name,
    ServiceType: ownProcess,
    StartType: automaticStart,
    ErrorControl: normalError | isVital,
    StartName: "[SERVICEACCOUNT]",
    Arguments: '--service --config "[CONFIGFILE]"',
    Component_: component,
  });
  const event = { start: 0x1, stop: 0x2, stopAtRemoval: 0x20, deleteAtRemoval: 0x80 };
  database.add("ServiceControl", {
    ServiceControl: "StopService",
    Name: name,
    Event: event.stop | event.stopAtRemoval | event.deleteAtRemoval,
    Wait: 1,
    Component_: component,
  });
  const start = "ServiceStart";
  addComponent(database, {
    name: start,
    resource: `${version}/service start`,
    directory: versionDirectory,
    condition: isServiceStarted,
  });
  database.add("ServiceControl", {
    ServiceControl: "StartService",
    Name: name,
    Event: event.start,
    Wait: 1,
    Component_: start,
  });
}
