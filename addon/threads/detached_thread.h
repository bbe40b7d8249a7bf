#ifndef CERTWIRE_THREADS_DETACHED_THREAD_H_
#define CERTWIRE_THREADS_DETACHED_THREAD_H_

#include <functional>
#include <utility>

#ifdef _WIN32
#include <process.h>
#include <windows.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <system_error>
#else
#include <thread>
#endif

namespace threads {

/// Runs the body, which must not throw, on a thread that nobody waits for. Throws
/// std::system_error if the system has no more threads.
#ifdef _WIN32
// Not a detached std::thread: winpthreads keeps a pool of records of threads, and one that ends can
// clear a record that the next one has been given. That one then ends without having run its body.
inline void StartDetached(std::function<void()> body) {
  using Body = std::function<void()>;
  struct Entry {
    static unsigned __stdcall Run(void* given) noexcept {
      const std::unique_ptr<Body> owned(static_cast<Body*>(given));
      (*owned)();
      return 0;
    }
  };
  auto owned = std::make_unique<Body>(std::move(body));
  const uintptr_t thread = _beginthreadex(nullptr, 0, &Entry::Run, owned.get(), 0, nullptr);
  if (thread == 0) throw std::system_error(errno, std::generic_category(), "cannot start a thread");
  static_cast<void>(owned.release());
  CloseHandle(reinterpret_cast<HANDLE>(thread));
}
#else
inline void StartDetached(std::function<void()> body) {
  std::thread([body = std::move(body)]() noexcept { body(); }).detach();
}
#endif

}  // namespace threads

#endif  // CERTWIRE_THREADS_DETACHED_THREAD_H_
