import { serviceState } from "../ca/control-service.ts";
import { fileVersionOf } from "../ca/module-facts.ts";
import { certwireService, programOf, serviceSetup } from "../ca/service-setup.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import type { NativeWindows } from "../native/windows-system.ts";
import type { WindowsServiceFacts } from "./service.ts";

/** How Windows has our service; what it refuses to say is an error in it. */
export function windowsService(windows: NativeWindows): WindowsServiceFacts {
  try {
    const setup = serviceSetup(windows, certwireService);
    const state = serviceState(windows, certwireService);
    const specificError = windows.queryService(certwireService)?.specificError ?? 0;
    const version = setup && fileVersionOf(programOf(setup.commandLine));
    return {
      ...(setup && { setup }),
      ...(state && { state }),
      specificError,
      ...(version !== undefined && { version }),
    };
  } catch (error) {
    if (!(error instanceof CertwireError)) throw error;
    return { error: error.message, specificError: 0 };
  }
}
