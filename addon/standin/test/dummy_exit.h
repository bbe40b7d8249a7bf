#ifndef CERTWIRE_STANDIN_TEST_DUMMY_EXIT_H_
#define CERTWIRE_STANDIN_TEST_DUMMY_EXIT_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "guids.h"

namespace standin {

/// An exit module that only notes how it is called; lives on the stack of a test.
class DummyExit final : public ICertExit2 {
 public:
  struct Notice {
    LONG event;
    LONG context;
    bool late_bound;
  };

  /// What Notify returns.
  HRESULT result = S_OK;
  /// No call returns before this many have been in the module at once.
  int least_at_once = 1;
  /// Calls that are noted before the stop of the certification authority; later ones wait for it.
  size_t most_before_stop = SIZE_MAX;

  std::vector<Notice> notices() const;
  int most_at_once() const { return most_at_once_; }
  const std::wstring& ca_name() const { return ca_name_; }

  STDMETHODIMP QueryInterface(REFIID iid, void** object) override;
  STDMETHODIMP_(ULONG) AddRef() override { return 2; }
  STDMETHODIMP_(ULONG) Release() override { return 1; }
  STDMETHODIMP GetTypeInfoCount(UINT*) override { return E_NOTIMPL; }
  STDMETHODIMP GetTypeInfo(UINT, LCID, ITypeInfo**) override { return E_NOTIMPL; }
  STDMETHODIMP GetIDsOfNames(REFIID iid, LPOLESTR* names, UINT count, LCID locale,
                             DISPID* ids) override;
  STDMETHODIMP Invoke(DISPID id, REFIID iid, LCID locale, WORD flags, DISPPARAMS* parameters,
                      VARIANT* result, EXCEPINFO* exception, UINT* bad_argument) override;
  STDMETHODIMP Initialize(const BSTR ca_name, LONG* mask) override;
  STDMETHODIMP Notify(LONG event, LONG context) override;
  STDMETHODIMP GetDescription(BSTR* text) override;
  STDMETHODIMP GetManageModule(ICertManageModule** manager) override;

 private:
  HRESULT Note(Notice notice);
  /// Waits for `done`; no call waits any more once one has waited for too long.
  template <typename Predicate>
  void Await(std::unique_lock<std::mutex>* lock, const Predicate& done);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Notice> notices_;
  std::wstring ca_name_;
  int running_ = 0;
  int most_at_once_ = 0;
  bool has_stopped_ = false;
  bool has_given_up_ = false;
};

}  // namespace standin

#endif  // CERTWIRE_STANDIN_TEST_DUMMY_EXIT_H_
