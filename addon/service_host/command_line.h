#ifndef CERTWIRE_SERVICE_HOST_COMMAND_LINE_H_
#define CERTWIRE_SERVICE_HOST_COMMAND_LINE_H_

#include <string>
#include <vector>

namespace service_host {

/// One command line out of a program and its arguments, quoted so that the C runtime and
/// CommandLineToArgvW split it into the same arguments again.
std::wstring CommandLine(const std::vector<std::wstring>& arguments);

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_COMMAND_LINE_H_
