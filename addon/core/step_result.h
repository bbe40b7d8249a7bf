#ifndef CERTWIRE_CORE_STEP_RESULT_H_
#define CERTWIRE_CORE_STEP_RESULT_H_

#include <cstdint>

#include "journal/status.h"

namespace journal {

/// How a step of the reader ended.
enum class StepOutcome : uint8_t {
  kMoved,       ///< went on; there may be more
  kEnd,         ///< everything that can be handed out has been; more may be written
  kWaiting,     ///< something is there that cannot be read or judged yet; try again later
  kFull,        ///< the batch has no space for what comes next
  kSegmentEnd,  ///< the open segment holds no further frame and will not get one
  kFailed,      ///< a file operation failed, or the journal needs a newer reader (kInvalid);
                ///< nothing was skipped
};

/// The result of a step: its outcome, and for kFailed the error.
class [[nodiscard]] StepResult {
 public:
  /// Any outcome but kFailed.
  constexpr StepResult(StepOutcome outcome) : outcome_(outcome) {}
  /// kMoved when `status` is ok, otherwise kFailed.
  constexpr StepResult(Status status)
      : outcome_(status.ok() ? StepOutcome::kMoved : StepOutcome::kFailed), status_(status) {}

  constexpr StepOutcome outcome() const { return outcome_; }
  constexpr bool moved() const { return outcome_ == StepOutcome::kMoved; }
  constexpr bool failed() const { return outcome_ == StepOutcome::kFailed; }
  /// Ok unless failed().
  constexpr const Status& status() const { return status_; }

 private:
  StepOutcome outcome_;
  Status status_;
};

}  // namespace journal

#endif  // CERTWIRE_CORE_STEP_RESULT_H_
