#ifndef CERTWIRE_COLLECT_RECORD_H_
#define CERTWIRE_COLLECT_RECORD_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collect/clock.h"
#include "collect/property_source.h"
#include "journal/space_rule.h"
#include "journal/units.h"

namespace collect {

/// Most bytes of an encoded record, and the payload limit of the journal.
inline constexpr size_t kMaxRecordBytes = journal::kLargestRecordBytes;
/// Bytes kept at each end of a value that is cut.
inline constexpr size_t kCutEndBytes = 8 * journal::kKibibyte;

/// Why something is missing, other than an HRESULT; the words of the record format.
enum class Reason : uint8_t { kHResult, kBudget, kLimit, kType, kCut, kFault };

/// How long values may be hashed: on the thread of the CA, whose time is limited.
struct HashTime {
  const Clock* clock = nullptr;  ///< null: as long as it takes
  uint64_t deadline_ms = 0;      ///< MonotonicMs of the clock

  bool IsOver() const { return clock != nullptr && clock->MonotonicMs() >= deadline_ms; }
};

/// A value as it is recorded.
struct Value {
  enum class Kind : uint8_t {
    kInteger,
    kText,   ///< UTF-8
    kUtf16,  ///< UTF-16LE bytes that are not valid UTF-16
    kBinary,
    kDate,    ///< 8 bytes
    kCut,     ///< both ends of something larger, one after the other
    kDigest,  ///< size and hash of a secret
    kRedacted,
  };
  Kind kind = Kind::kRedacted;
  int32_t number = 0;
  std::vector<uint8_t> bytes;
  uint64_t whole_size = 0;               ///< kCut, kDigest: bytes of the whole value
  std::array<uint8_t, 32> whole_hash{};  ///< SHA-256 of those, if there was time
  bool has_hash = false;

  static Value Integer(int32_t number);
  static Value Date(std::span<const uint8_t> date);
  /// A binary; cut at once when it alone is too large.
  static Value Binary(std::span<const uint8_t> bytes, const HashTime& time = {});
  /// Text from UTF-16LE; cut at once when it alone is too large.
  static Value Text(std::span<const uint8_t> utf16, const HashTime& time = {});
  /// What is recorded of a secret binary.
  static Value Digest(std::span<const uint8_t> secret, const HashTime& time = {});
};

/// A named property. Names of properties are ASCII.
struct NamedValue {
  std::string name;
  Value value;
};

struct Attribute {
  Value name;
  Value value;
};

struct Extension {
  Value oid;
  int32_t flags = 0;
  Value der;
};

struct Crl {
  int32_t index = 0;
  bool delta = false;
  int32_t partition = 0;  ///< of the CA's certificates, from 1; 0: all of them
  Value der;
};

/// Something that could not be read: qualified name and reason.
struct Problem {
  Value name;
  Reason reason = Reason::kHResult;
  HResult result = kOk;
};

/// Everything the certification authority said about one event. Keeps itself below the size limit:
/// adding a value cuts the largest ones as soon as all values together could not be encoded.
class Record {
 public:
  enum class Group : uint8_t { kRequest, kCertificate, kCa };

  /// Lowers the size limit, for a journal or a memory that has no space for more. Only while
  /// nothing was added.
  void SetMaxBytes(size_t max_bytes) { max_bytes_ = std::min(max_bytes_, max_bytes); }

  /// Limits the hashing of what is cut. Without, a cut takes as long as it takes.
  void SetHashTime(const HashTime& limit) { hash_time_ = limit; }

  int32_t event = 0;
  int32_t context = 0;
  uint64_t time = 0;  ///< UTC, 100 ns since 1601
  uint32_t process_id = 0;
  uint32_t thread_id = 0;

  void AddProperty(Group group, std::u16string_view name, Value value);
  void AddAttribute(std::u16string_view name, Value value);
  void AddExtension(std::u16string_view oid, int32_t flags, Value der);
  /// In whatever order; they are recorded by index, the base before the delta.
  void AddCrl(int32_t index, bool delta, Value der, int32_t partition = 0);
  void AddProblem(std::u16string_view name, Reason reason, HResult result = kOk);

  /// True while further entries of an enumeration can be added without passing the limit even when
  /// every value is cut.
  bool HasSpace() const;

  /// RequestID as the request or the certificate has it; 0 without one.
  int64_t RequestId() const;

  /// In the order of the encoding: shorter names first.
  const std::vector<NamedValue>& properties(Group group) const;
  const std::vector<Attribute>& attributes() const { return attributes_; }
  const std::vector<Extension>& extensions() const { return extensions_; }
  const std::vector<Crl>& crls() const { return crls_; }
  const std::vector<Problem>& problems() const { return problems_; }

 private:
  /// A value and the name under which its cut is reported.
  struct Candidate {
    Value* value = nullptr;
    std::u16string name;
  };

  /// Counts a value that was just added; `name` makes its qualified name, should it be needed.
  template <typename Name>
  void Account(const Value& value, size_t name_bytes, Name name);
  Candidate FindLargest();
  /// Cuts the largest value; false when nothing is left whose cut would save space.
  bool CutLargest();

  std::array<std::vector<NamedValue>, 3> properties_;
  std::vector<Attribute> attributes_;
  std::vector<Extension> extensions_;
  std::vector<Crl> crls_;
  std::vector<Problem> problems_;
  size_t max_bytes_ = kMaxRecordBytes;
  HashTime hash_time_;
  size_t encoded_bytes_ = 0;  ///< at most, of all names and values
  size_t minimum_bytes_ = 0;  ///< the same if every value were cut
};

/// "request", "certificate" or "ca".
std::string_view GroupName(Record::Group group);
/// `prefix`, dot, `name`.
std::u16string QualifiedName(std::string_view prefix, std::u16string_view name);

}  // namespace collect

#endif  // CERTWIRE_COLLECT_RECORD_H_
