#ifndef CERTWIRE_SERVICE_HOST_SERVICE_CONTROL_H_
#define CERTWIRE_SERVICE_HOST_SERVICE_CONTROL_H_

#include <string>

#include "options.h"

namespace service_host {

/// The account `NT SERVICE\Certwire` and its rights follow from this name.
inline constexpr wchar_t kServiceName[] = L"Certwire";

/// Creates the service, or lets the one that is there run `command_line`. Prints what fails; false
/// then.
bool InstallService(const std::wstring& command_line);

/// Sets what the service control manager does with the service. Prints each setting; false if one
/// fails. A setting that this Windows does not know is not a failure.
bool ConfigureService(uint32_t stop_seconds);

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_SERVICE_CONTROL_H_
