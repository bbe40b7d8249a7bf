#ifndef CERTWIRE_STANDIN_TEXT_H_
#define CERTWIRE_STANDIN_TEXT_H_

#include <windows.h>

#include <string>
#include <string_view>

namespace standin {

/// UTF-8 to UTF-16; input that is not valid UTF-8 becomes replacement characters.
std::wstring Widen(std::string_view utf8);

/// UTF-16 to UTF-8; lone surrogates become replacement characters.
std::string Narrow(std::wstring_view utf16);

/// Bytes of standard base64; throws std::invalid_argument on anything else.
std::string FromBase64(std::string_view text);

/// `0x` and eight digits.
std::string HexResult(HRESULT result);

}  // namespace standin

#endif  // CERTWIRE_STANDIN_TEXT_H_
