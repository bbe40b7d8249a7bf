#include "tally.h"

namespace standin {

void Tally::Asked(const std::wstring& name) {
  const std::lock_guard lock(mutex_);
  ++asked_[name];
}

void Tally::Violation(const std::wstring& what) {
  const std::lock_guard lock(mutex_);
  violations_.insert(what);
}

std::map<std::wstring, uint64_t> Tally::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

std::set<std::wstring> Tally::violations() const {
  const std::lock_guard lock(mutex_);
  return violations_;
}

}  // namespace standin
