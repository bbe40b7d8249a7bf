#ifndef CERTWIRE_COLLECT_PROPERTY_TABLE_H_
#define CERTWIRE_COLLECT_PROPERTY_TABLE_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "collect/property_source.h"
#include "collect/record.h"

namespace collect {

/// What kind of things an event is about; a set.
using Topics = uint8_t;
inline constexpr Topics kAboutRequest = 1;
inline constexpr Topics kAboutRevocation = 2;
inline constexpr Topics kAboutCrl = 4;
inline constexpr Topics kAboutStart = 8;
inline constexpr Topics kAboutStop = 16;

/// Topics of an EXITEVENT_* bit. An unknown one is about the request and the CA: everything is
/// read.
Topics TopicsOf(int32_t event);

/// Which spellings of a name are tried, in this order.
enum class Naming : uint8_t {
  kPlain,          ///< the name
  kRequestColumn,  ///< the name, `Request.` and the name
  kSubjectPart,    ///< `Subject.` and the name, `Request.` and the name
};

/// What is recorded of a value.
enum class Secrecy : uint8_t {
  kPlain,   ///< the value
  kDigest,  ///< its size and SHA-256, since the whole is a secret
  kLines,   ///< the text with the values of its secret lines blanked
};

/// One row of the table. docs/reference/what-is-secret.md says why of each name.
struct Property {
  std::u16string_view name;
  PropertyType type;
  Record::Group group;
  Naming naming;
  Topics topics;  ///< read for events about one of these
  /// For events about one of these it is read before all others and, unless indexed, also when the
  /// budget is used up.
  Topics essential = 0;
  bool indexed = false;  ///< read once for each CA certificate, as `name.N`
  Secrecy secrecy = Secrecy::kPlain;
  bool newer = false;  ///< an older CA may not know the name
};

/// The properties that are read, in the order of reading.
std::span<const Property> Properties();

}  // namespace collect

#endif  // CERTWIRE_COLLECT_PROPERTY_TABLE_H_
