#ifndef CERTWIRE_SERVICE_HOST_TEXT_H_
#define CERTWIRE_SERVICE_HOST_TEXT_H_

#include <string>
#include <string_view>

namespace service_host {

/// UTF-16 to UTF-8; lone surrogates become replacement characters.
std::string Utf8(std::wstring_view utf16);

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_TEXT_H_
