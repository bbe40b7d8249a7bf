#ifndef CERTWIRE_COLLECT_BAG_SOURCE_H_
#define CERTWIRE_COLLECT_BAG_SOURCE_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "collect/property_source.h"

namespace collect {

/// An answer of a simulated CA: a value, or the HRESULT of the failure.
struct BagValue {
  HResult result = kOk;
  SourceValue::Kind kind = SourceValue::Kind::kOther;
  int32_t number = 0;
  double date = 0;             ///< OLE automation date, UTC
  std::vector<uint8_t> bytes;  ///< text is UTF-16LE

  static BagValue Long(int32_t number);
  static BagValue Date(double date);
  static BagValue Binary(std::vector<uint8_t> bytes);
  static BagValue Text(std::u16string_view text);
  static BagValue Failure(HResult result);
};

/// Everything that a simulated CA answers during one event. What is not there is empty
/// (CERTSRV_E_PROPERTY_EMPTY). Keys are plain column names (`CommonName`, `CRLState.0`): the source
/// finds them under the prefixes `Request.` and `Subject.` too, as a CA does.
struct PropertyBag {
  struct Extension {
    std::u16string oid;
    int32_t flags = 0;
    BagValue der;
  };

  HResult open_result = kOk;
  std::map<std::u16string, BagValue, std::less<>> request;
  /// Certificate and CA properties: a CA serves both through the same call.
  std::map<std::u16string, BagValue, std::less<>> certificate;
  std::vector<std::pair<std::u16string, BagValue>> attributes;
  std::vector<Extension> extensions;
};

/// A source over a bag, which must outlive it.
class BagSource : public PropertySource {
 public:
  explicit BagSource(const PropertyBag& bag) : bag_(bag) {}

  HResult Open(int32_t context) override;
  HResult GetRequestProperty(std::u16string_view name, PropertyType type,
                             SourceValue* value) override;
  HResult GetCertificateProperty(std::u16string_view name, PropertyType type,
                                 SourceValue* value) override;
  HResult GetAttribute(std::u16string_view name, SourceValue* value) override;
  HResult GetExtension(std::u16string_view oid, SourceValue* value) override;
  HResult GetExtensionFlags(int32_t* flags) override;
  HResult BeginAttributes() override;
  HResult NextAttribute(std::u16string* name) override;
  void EndAttributes() override {}
  HResult BeginExtensions() override;
  HResult NextExtension(std::u16string* oid) override;
  void EndExtensions() override {}
  bool Faulted() const override { return false; }

 private:
  const PropertyBag& bag_;
  size_t next_attribute_ = 0;
  size_t next_extension_ = 0;
  int32_t last_flags_ = 0;
};

}  // namespace collect

#endif  // CERTWIRE_COLLECT_BAG_SOURCE_H_
