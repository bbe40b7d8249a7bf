#pragma once

#include <windows.h>

#include <string>

namespace msi_actions {

/// The environment of the service `Certwire`, as its value in the registry has it: entries
/// `NAME=value`, each with a terminator. Empty if the service or the value is not there, or if the
/// value is not a REG_MULTI_SZ: Windows ignores it then. Returns a Windows error.
LSTATUS ReadEnvironment(std::wstring& entries);

}  // namespace msi_actions
