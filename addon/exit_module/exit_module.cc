#include "exit_module.h"

#include <new>

#include "manage_module.h"
#include "process_recorder.h"
#include "version.h"

namespace exit_module {
namespace {

/// DISPIDs as the type library of the contract numbers them: by level of inheritance.
enum ExitDispatchId : DISPID {
  kInitialize = 0x60020000,
  kNotify = 0x60020001,
  kGetDescription = 0x60020002,
  kGetManageModule = 0x60030000,
};

constexpr Method kExitMethods[] = {
    {L"Initialize", kInitialize, 1},
    {L"Notify", kNotify, 2},
    {L"GetDescription", kGetDescription, 0},
    {L"GetManageModule", kGetManageModule, 0},
};

}  // namespace

ExitModule::ExitModule() : DualObject(kExitMethods) {}

STDMETHODIMP ExitModule::QueryInterface(REFIID iid, void** object) noexcept {
  if (object == nullptr) return E_POINTER;
  return GuardedEntry([&] {
    *object = nullptr;
    if (!IsEqualIID(iid, IID_IUnknown) && !IsEqualIID(iid, IID_IDispatch) &&
        !IsEqualIID(iid, IID_ICertExit) && !IsEqualIID(iid, IID_ICertExit2)) {
      return E_NOINTERFACE;
    }
    *object = static_cast<ICertExit2*>(this);
    AddRef();
    return S_OK;
  });
}

HRESULT ExitModule::Call(DISPID id, Arguments* arguments, VARIANT* result) {
  switch (id) {
    case kInitialize: {
      const BSTR config = arguments->Text(0);
      if (FAILED(arguments->result())) return arguments->result();
      V_VT(result) = VT_I4;
      return Initialize(config, &V_I4(result));
    }
    case kNotify: {
      const LONG event = arguments->Long(0);
      const LONG context = arguments->Long(1);
      return FAILED(arguments->result()) ? arguments->result() : Notify(event, context);
    }
    case kGetDescription:
      V_VT(result) = VT_BSTR;
      V_BSTR(result) = nullptr;
      return GetDescription(&V_BSTR(result));
    default: {
      ICertManageModule* manager = nullptr;
      const HRESULT made = GetManageModule(&manager);
      if (FAILED(made)) return made;
      V_VT(result) = VT_DISPATCH;
      V_DISPATCH(result) = manager;
      return S_OK;
    }
  }
}

STDMETHODIMP ExitModule::Initialize(const BSTR config, LONG* mask) noexcept {
  if (mask == nullptr) return E_POINTER;
  GuardedEntry([&] {
    *mask = collect::kEventMask;
    ProcessRecorder::Start(TextOf(config));
    return S_OK;
  });
  // Without a recorder nothing is recorded, but the CA starts as if we were not there.
  return S_OK;
}

STDMETHODIMP ExitModule::Notify(LONG event, LONG context) noexcept {
  ProcessRecorder* recorder = ProcessRecorder::Get();
  if (recorder == nullptr) return S_OK;
  GuardedEntry([&] {
    recorder->Notify(event, context);
    return S_OK;
  });
  return S_OK;
}

STDMETHODIMP ExitModule::GetDescription(BSTR* description) noexcept {
  if (description == nullptr) return E_POINTER;
  return GuardedEntry([&] { return ReturnText(kDescription, description); });
}

STDMETHODIMP ExitModule::GetManageModule(ICertManageModule** manager) noexcept {
  if (manager == nullptr) return E_POINTER;
  return GuardedEntry([&] {
    *manager = new (std::nothrow) ManageModule;
    return *manager == nullptr ? E_OUTOFMEMORY : S_OK;
  });
}

}  // namespace exit_module
