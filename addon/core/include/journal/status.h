#ifndef CERTWIRE_JOURNAL_STATUS_H_
#define CERTWIRE_JOURNAL_STATUS_H_

#include <cstdint>

namespace journal {

/// Outcome of an operation; cheap to copy, no heap, no exceptions.
class [[nodiscard]] Status {
 public:
  enum class Code : uint8_t {
    kOk,
    kIo,
    kNotFound,
    kExists,
    kNoSpace,
    kCorruption,
    kBusy,
    kInvalid
  };

  constexpr Status() = default;
  /// `what` must be a string literal: it is not copied.
  constexpr Status(Code code, const char* what, int os_error = 0)
      : code_(code), os_error_(os_error), what_(what) {}

  static constexpr Status Ok() { return {}; }

  constexpr bool ok() const { return code_ == Code::kOk; }
  constexpr Code code() const { return code_; }
  /// errno on POSIX, GetLastError() on Windows; 0 where there is none.
  constexpr int os_error() const { return os_error_; }
  constexpr const char* what() const { return what_; }

 private:
  Code code_ = Code::kOk;
  int os_error_ = 0;
  const char* what_ = "";
};

}  // namespace journal

#endif  // CERTWIRE_JOURNAL_STATUS_H_
