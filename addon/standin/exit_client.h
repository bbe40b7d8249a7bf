#ifndef CERTWIRE_STANDIN_EXIT_CLIENT_H_
#define CERTWIRE_STANDIN_EXIT_CLIENT_H_

#include <string>

#include "guids.h"

namespace standin {

/// Owns one reference of a COM object.
template <typename T>
class ComRef {
 public:
  ComRef() = default;
  ~ComRef() { Reset(); }
  ComRef(const ComRef&) = delete;
  ComRef& operator=(const ComRef&) = delete;

  void Reset() {
    if (object_ != nullptr) object_->Release();
    object_ = nullptr;
  }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T** Receive() {
    Reset();
    return &object_;
  }
  void** ReceiveVoid() { return reinterpret_cast<void**>(Receive()); }

 private:
  T* object_ = nullptr;
};

/// The exit module, called as certsrv calls it: through its vtable or late-bound by IDispatch.
class ExitClient {
 public:
  /// Finds the module by its ProgID. Without the custom interface only late-bound calls work.
  HRESULT Create(const std::wstring& prog_id, bool late_bound_only);
  /// Takes a module that is there already.
  HRESULT Attach(IDispatch* module, bool late_bound_only);
  void Release();

  HRESULT Initialize(const std::wstring& ca_name, bool late_bound, LONG* mask);
  HRESULT Notify(LONG event, LONG context, bool late_bound);
  HRESULT GetDescription(bool late_bound, std::wstring* text);
  /// `name` of the module's manager, for example its file version.
  HRESULT GetManageProperty(const std::wstring& name, bool late_bound, std::wstring* text);

 private:
  HRESULT Invoke(const wchar_t* method, VARIANT* arguments, UINT count, VARIANT* result);
  HRESULT GetManager(bool late_bound, ICertManageModule** manager);

  ComRef<ICertExit2> exit_;
  ComRef<IDispatch> dispatch_;
};

}  // namespace standin

#endif  // CERTWIRE_STANDIN_EXIT_CLIENT_H_
