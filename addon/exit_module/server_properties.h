#ifndef CERTWIRE_EXIT_MODULE_SERVER_PROPERTIES_H_
#define CERTWIRE_EXIT_MODULE_SERVER_PROPERTIES_H_

#include <string>
#include <string_view>

#include "collect/property_source.h"
#include "com.h"
#include "fault_guard.h"

namespace exit_module {

/// The certification authority of this process as a property source: its own ICertServerExit, made
/// by Open on the calling thread and released with the source, together with an enumeration that a
/// lack of memory left open. Every call runs under the fault
/// guard; after a fault nothing is called any more, not even Release.
class ServerProperties final : public collect::PropertySource {
 public:
  ServerProperties() { VariantInit(&value_); }
  ~ServerProperties() override;
  ServerProperties(const ServerProperties&) = delete;
  ServerProperties& operator=(const ServerProperties&) = delete;

  collect::HResult Open(int32_t context) override;
  collect::HResult GetRequestProperty(std::u16string_view name, collect::PropertyType type,
                                      collect::SourceValue* value) override;
  collect::HResult GetCertificateProperty(std::u16string_view name, collect::PropertyType type,
                                          collect::SourceValue* value) override;
  collect::HResult GetAttribute(std::u16string_view name, collect::SourceValue* value) override;
  collect::HResult GetExtension(std::u16string_view oid, collect::SourceValue* value) override;
  collect::HResult GetExtensionFlags(int32_t* flags) override;
  collect::HResult BeginAttributes() override;
  collect::HResult NextAttribute(std::u16string* name) override;
  void EndAttributes() override { EndEnumeration(); }
  collect::HResult BeginExtensions() override;
  collect::HResult NextExtension(std::u16string* oid) override;
  void EndExtensions() override { EndEnumeration(); }
  bool Faulted() const override { return faulted_; }

  /// What Open gave.
  collect::HResult open_result() const { return open_result_; }
  /// The fault, once Faulted().
  const Fault& fault() const { return fault_; }

 private:
  /// Runs `call` under the guard; its HRESULT, or E_UNEXPECTED after a fault.
  template <typename Call>
  collect::HResult Ask(Call call);
  /// Asks for a variant by name and shows it as `value`.
  template <typename Call>
  collect::HResult AskValue(std::u16string_view name, collect::SourceValue* value, Call call);
  template <typename Call>
  collect::HResult AskName(std::u16string* name, Call call);

  using EnumerationClose = HRESULT (STDMETHODCALLTYPE ICertServerExit::*)();
  template <typename Call>
  collect::HResult Begin(Call setup, EnumerationClose close);
  void EndEnumeration();

  ICertServerExit* server_ = nullptr;
  EnumerationClose close_ = nullptr;  ///< of the enumeration that is open
  VARIANT value_;  ///< the answer that was given last; lives until the next question
  bool faulted_ = false;
  Fault fault_;
  collect::HResult open_result_ = collect::kOk;
};

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_SERVER_PROPERTIES_H_
