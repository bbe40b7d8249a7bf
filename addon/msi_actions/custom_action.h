#pragma once

#include <windows.h>
// After windows.h, which it needs.
#include <msi.h>

#include <string>

namespace msi_actions {

/// The property of a deferred action, which sees no other; empty when it cannot be read.
std::wstring CustomActionData(MSIHANDLE installation);

/// Writes a line into the log of the installation.
void Log(MSIHANDLE installation, const std::wstring& line);

}  // namespace msi_actions
