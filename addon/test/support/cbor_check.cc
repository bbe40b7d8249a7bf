#include "support/cbor_check.h"

#include <algorithm>
#include <cstring>

#include "journal/cbor.h"

namespace test {
namespace {

using journal::CborCursor;
using journal::CborHead;
using journal::Status;

Status Bad(const char* what) { return Status(Status::Code::kInvalid, what); }

bool IsShortest(const CborHead& head) {
  switch (head.info) {
    case 24:
      return head.value >= 24;
    case 25:
      return head.value > 0xff;
    case 26:
      return head.value > 0xffff;
    case 27:
      return head.value > 0xffffffff;
    default:
      return true;
  }
}

bool IsContinuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

/// Bytes of the UTF-8 character at `text`, 0 when it is not valid: no overlong form, no surrogate.
size_t CharacterSize(const uint8_t* text, size_t left) {
  const uint8_t first = text[0];
  if (first < 0x80) return 1;
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || left < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  const bool bad_second = (first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
                          (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f);
  return bad_second ? 0 : size;
}

bool IsUtf8(const uint8_t* text, size_t size) {
  while (size > 0) {
    const size_t step = CharacterSize(text, size);
    if (step == 0) return false;
    text += step;
    size -= step;
  }
  return true;
}

class Checker {
 public:
  Checker(const uint8_t* data, size_t size, const CborLimits& limits)
      : cursor_(data, size), limits_(limits) {}

  Status Item(int depth) {
    CborHead head;
    if (!cursor_.NextHead(&head)) return Bad("CBOR is cut or of indefinite length");
    if (++items_ > limits_.max_items) return Bad("CBOR has too many items");
    if (head.major == 7) return Simple(head);
    if (!IsShortest(head)) return Bad("CBOR head is not the shortest");
    if (head.major >= 4 && depth >= limits_.max_depth) return Bad("CBOR is nested too deep");
    switch (head.major) {
      case 2:
      case 3:
        return String(head);
      case 4:
        return Array(head.value, depth);
      case 5:
        return Map(head.value, depth);
      case 6:
        return Item(depth + 1);
      default:
        return Status::Ok();
    }
  }

  bool at_end() const { return cursor_.left() == 0; }

 private:
  static Status Simple(const CborHead& head) {
    const bool allowed = head.info >= 20 && head.info <= 22;
    return allowed ? Status::Ok() : Bad("CBOR holds a float or an unknown simple value");
  }

  Status String(const CborHead& head) {
    const uint8_t* bytes = cursor_.TakeBytes(head.value);
    if (bytes == nullptr) return Bad("CBOR is cut");
    const bool text = head.major == 3;
    if (text && !IsUtf8(bytes, static_cast<size_t>(head.value)))
      return Bad("CBOR text is not UTF-8");
    return Status::Ok();
  }

  Status Array(uint64_t count, int depth) {
    if (count > cursor_.left()) return Bad("CBOR is cut");
    Status status;
    for (uint64_t i = 0; status.ok() && i < count; ++i) status = Item(depth + 1);
    return status;
  }

  Status Map(uint64_t count, int depth) {
    if (count > cursor_.left()) return Bad("CBOR is cut");
    const uint8_t* before = nullptr;
    size_t before_size = 0;
    for (uint64_t i = 0; i < count; ++i) {
      const uint8_t* key = cursor_.position();
      Status status = Item(depth + 1);
      if (!status.ok()) return status;
      const auto key_size = static_cast<size_t>(cursor_.position() - key);
      if (before != nullptr && !IsBefore(before, before_size, key, key_size)) {
        return Bad("CBOR map keys are repeated or out of order");
      }
      before = key;
      before_size = key_size;
      status = Item(depth + 1);
      if (!status.ok()) return status;
    }
    return Status::Ok();
  }

  static bool IsBefore(const uint8_t* a, size_t a_size, const uint8_t* b, size_t b_size) {
    const int order = std::memcmp(a, b, std::min(a_size, b_size));
    return order < 0 || (order == 0 && a_size < b_size);
  }

  CborCursor cursor_;
  const CborLimits& limits_;
  size_t items_ = 0;
};

}  // namespace

journal::Status CheckCbor(const uint8_t* data, size_t size, const CborLimits& limits) {
  if (size > limits.max_bytes) return Bad("CBOR is too large");
  Checker checker(data, size, limits);
  const Status status = checker.Item(0);
  if (status.ok() && !checker.at_end()) return Bad("CBOR has bytes after its end");
  return status;
}

}  // namespace test
