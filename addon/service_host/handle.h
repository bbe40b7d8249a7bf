#ifndef CERTWIRE_SERVICE_HOST_HANDLE_H_
#define CERTWIRE_SERVICE_HOST_HANDLE_H_

#include <windows.h>

#include <utility>

namespace service_host {

/// Owns a handle of the kernel; null and INVALID_HANDLE_VALUE stand for none.
class Handle {
 public:
  Handle() = default;
  explicit Handle(HANDLE handle) : handle_(handle == INVALID_HANDLE_VALUE ? nullptr : handle) {}
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Handle() { Close(); }

  void Close() {
    if (handle_ != nullptr) CloseHandle(std::exchange(handle_, nullptr));
  }
  HANDLE get() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  HANDLE handle_ = nullptr;
};

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_HANDLE_H_
