#ifndef CERTWIRE_STANDIN_TALLY_H_
#define CERTWIRE_STANDIN_TALLY_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>

namespace standin {

/// What the fake certification authority was asked, and what the module did wrong with it.
class Tally {
 public:
  /// Counts one read of `name`, such as `request.StatusCode`.
  void Asked(const std::wstring& name);
  /// Notes a breach of the contract, such as a use from another thread.
  void Violation(const std::wstring& what);

  void ObjectMade() { ++made_, ++live_; }
  void ObjectGone() { --live_; }

  uint64_t objects_made() const { return made_; }
  int64_t objects_live() const { return live_; }
  std::map<std::wstring, uint64_t> asked() const;
  std::set<std::wstring> violations() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::wstring, uint64_t> asked_;
  std::set<std::wstring> violations_;
  std::atomic<uint64_t> made_ = 0;
  std::atomic<int64_t> live_ = 0;
};

}  // namespace standin

#endif  // CERTWIRE_STANDIN_TALLY_H_
