#include "dummy_exit.h"

#include <algorithm>
#include <chrono>
#include <cwchar>

namespace standin {
namespace {

constexpr DISPID kInitialize = 0x60020000;
constexpr DISPID kNotify = 0x60020001;
constexpr DISPID kGetDescription = 0x60020002;
constexpr LONG kMask = 0x27f;
/// Long enough for calls of several threads to overlap.
constexpr DWORD kCallMs = 2;
constexpr DISPID kGetManageModule = 0x60030000;
/// Far longer than the slowest machine needs.
constexpr std::chrono::minutes kPatience(2);

/// Answers every question for a property with the same text.
class DummyManager final : public ICertManageModule {
 public:
  STDMETHODIMP QueryInterface(REFIID, void** object) override {
    *object = this;
    return S_OK;
  }
  STDMETHODIMP_(ULONG) AddRef() override { return 2; }
  STDMETHODIMP_(ULONG) Release() override { return 1; }
  STDMETHODIMP GetTypeInfoCount(UINT*) override { return E_NOTIMPL; }
  STDMETHODIMP GetTypeInfo(UINT, LCID, ITypeInfo**) override { return E_NOTIMPL; }
  STDMETHODIMP GetIDsOfNames(REFIID, LPOLESTR*, UINT, LCID, DISPID*) override { return E_NOTIMPL; }
  STDMETHODIMP Invoke(DISPID, REFIID, LCID, WORD, DISPPARAMS*, VARIANT*, EXCEPINFO*,
                      UINT*) override {
    return E_NOTIMPL;
  }
  STDMETHODIMP GetProperty(const BSTR, BSTR, BSTR, LONG, VARIANT* value) override {
    V_VT(value) = VT_BSTR;
    V_BSTR(value) = SysAllocString(L"1.0");
    return S_OK;
  }
  STDMETHODIMP SetProperty(const BSTR, BSTR, BSTR, LONG, VARIANT const*) override {
    return S_FALSE;
  }
  STDMETHODIMP Configure(const BSTR, BSTR, LONG) override { return S_OK; }
};

DummyManager dummy_manager;

}  // namespace

std::vector<DummyExit::Notice> DummyExit::notices() const {
  const std::lock_guard lock(mutex_);
  return notices_;
}

STDMETHODIMP DummyExit::QueryInterface(REFIID iid, void** object) {
  const bool known = IsEqualIID(iid, IID_IUnknown) || IsEqualIID(iid, IID_IDispatch) ||
                     IsEqualIID(iid, IID_ICertExit2);
  *object = known ? this : nullptr;
  return known ? S_OK : E_NOINTERFACE;
}

STDMETHODIMP DummyExit::GetIDsOfNames(REFIID, LPOLESTR* names, UINT, LCID, DISPID* ids) {
  if (_wcsicmp(names[0], L"Initialize") == 0) ids[0] = kInitialize;
  if (_wcsicmp(names[0], L"Notify") == 0) ids[0] = kNotify;
  if (_wcsicmp(names[0], L"GetDescription") == 0) ids[0] = kGetDescription;
  if (_wcsicmp(names[0], L"GetManageModule") == 0) ids[0] = kGetManageModule;
  return ids[0] == DISPID_UNKNOWN ? DISP_E_UNKNOWNNAME : S_OK;
}

STDMETHODIMP DummyExit::Invoke(DISPID id, REFIID, LCID, WORD, DISPPARAMS* parameters,
                               VARIANT* value, EXCEPINFO*, UINT*) {
  const VARIANT* arguments = parameters->rgvarg;
  switch (id) {
    case kInitialize:
      V_VT(value) = VT_I4;
      return Initialize(V_BSTR(&arguments[0]), &V_I4(value));
    case kNotify:
      return Note({V_I4(&arguments[1]), V_I4(&arguments[0]), true});
    case kGetDescription:
      V_VT(value) = VT_BSTR;
      return GetDescription(&V_BSTR(value));
    case kGetManageModule:
      V_VT(value) = VT_DISPATCH;
      V_DISPATCH(value) = &dummy_manager;
      return S_OK;
    default:
      return DISP_E_MEMBERNOTFOUND;
  }
}

STDMETHODIMP DummyExit::Initialize(const BSTR ca_name, LONG* mask) {
  ca_name_ = ca_name;
  *mask = kMask;
  return S_OK;
}

STDMETHODIMP DummyExit::Notify(LONG event, LONG context) { return Note({event, context, false}); }

STDMETHODIMP DummyExit::GetDescription(BSTR* text) {
  *text = SysAllocString(L"Dummy");
  return S_OK;
}

STDMETHODIMP DummyExit::GetManageModule(ICertManageModule** manager) {
  *manager = &dummy_manager;
  return S_OK;
}

template <typename Predicate>
void DummyExit::Await(std::unique_lock<std::mutex>* lock, const Predicate& done) {
  const auto is_over = [&] { return has_given_up_ || done(); };
  if (!changed_.wait_for(*lock, kPatience, is_over)) has_given_up_ = true;
  changed_.notify_all();
}

HRESULT DummyExit::Note(Notice notice) {
  std::unique_lock lock(mutex_);
  const bool is_stop = notice.event == EXITEVENT_SHUTDOWN;
  Await(&lock, [&] { return is_stop || has_stopped_ || notices_.size() < most_before_stop; });
  notices_.push_back(notice);
  has_stopped_ = has_stopped_ || is_stop;
  most_at_once_ = std::max(most_at_once_, ++running_);
  Await(&lock, [&] { return most_at_once_ >= least_at_once; });
  lock.unlock();
  Sleep(kCallMs);
  lock.lock();
  --running_;
  return result;
}

}  // namespace standin
