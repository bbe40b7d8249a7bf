#ifndef CERTWIRE_COLLECT_PROPERTY_SOURCE_H_
#define CERTWIRE_COLLECT_PROPERTY_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace collect {

/// A COM result code, unsigned as it is printed and recorded.
using HResult = uint32_t;

inline constexpr HResult kOk = 0;
/// The end of an enumeration.
inline constexpr HResult kFalse = 1;
/// CERTSRV_E_PROPERTY_EMPTY: there is no value.
inline constexpr HResult kPropertyEmpty = 0x80094004;
/// HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND): the CA issues no such CRL.
inline constexpr HResult kFileNotFound = 0x80070002;

constexpr bool Failed(HResult result) { return (result & 0x80000000u) != 0; }

/// PROPTYPE_* of the certification authority's interface.
enum class PropertyType : int32_t { kLong = 1, kDate = 2, kBinary = 3, kString = 4 };

/// What a source answered: the shape of a VARIANT, without its ownership.
struct SourceValue {
  enum class Kind : uint8_t {
    kLong,   ///< VT_I4 or VT_I2, in `number`
    kDate,   ///< VT_DATE, in `date`
    kBytes,  ///< VT_BSTR: text or binary, in `data` and `size`
    kOther,  ///< any other variant
  };
  Kind kind = Kind::kOther;
  int32_t number = 0;
  uint8_t date[8] = {};  ///< OLE automation date, little-endian
  const uint8_t* data = nullptr;
  size_t size = 0;  ///< bytes; may be odd even for text
};

/// What a certification authority lets an exit module read during one Notify. Not thread-safe; one
/// object per Notify. A value points into the source and is valid until the next call on it.
class PropertySource {
 public:
  virtual ~PropertySource() = default;

  /// Makes the source ready for `context`; called once, before anything else.
  virtual HResult Open(int32_t context) = 0;

  virtual HResult GetRequestProperty(std::u16string_view name, PropertyType type,
                                     SourceValue* value) = 0;
  virtual HResult GetCertificateProperty(std::u16string_view name, PropertyType type,
                                         SourceValue* value) = 0;

  virtual HResult GetAttribute(std::u16string_view name, SourceValue* value) = 0;
  /// The DER value of the extension.
  virtual HResult GetExtension(std::u16string_view oid, SourceValue* value) = 0;
  /// Flags of the extension that was read last.
  virtual HResult GetExtensionFlags(int32_t* flags) = 0;

  /// An enumeration: Begin, Next until it gives kFalse or fails, End on every path after a good
  /// Begin.
  virtual HResult BeginAttributes() = 0;
  virtual HResult NextAttribute(std::u16string* name) = 0;
  virtual void EndAttributes() = 0;
  virtual HResult BeginExtensions() = 0;
  virtual HResult NextExtension(std::u16string* oid) = 0;
  virtual void EndExtensions() = 0;

  /// True once a call ended in a caught access violation: nothing more may be read in this process.
  virtual bool Faulted() const = 0;
};

}  // namespace collect

#endif  // CERTWIRE_COLLECT_PROPERTY_SOURCE_H_
