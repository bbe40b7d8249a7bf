#include "collect/recorder.h"

#include <utility>

#include "collect/collector.h"
#include "collect/record_encoder.h"
#include "collect/thread_ids.h"
#include "collect/utf16.h"

namespace collect {

using journal::AppendResult;

Recorder::Recorder(journal::Writer& writer, std::u16string ca_name, const Clock& clock)
    : writer_(writer), ca_name_(std::move(ca_name)), clock_(clock) {}

void Recorder::SetSecretNames(SecretNames names) {
  const SecretNames* present = secrets_.load(std::memory_order_relaxed);
  if (present != nullptr && *present == names) return;
  set_names_.push_back(std::make_unique<const SecretNames>(std::move(names)));
  secrets_.store(set_names_.back().get(), std::memory_order_release);
}

AppendResult Recorder::Notify(int32_t event, int32_t context, PropertySource& source) noexcept {
  Record record;
  return Notify(event, context, source, &record);
}

AppendResult Recorder::Notify(int32_t event, int32_t context, PropertySource& source,
                              Record* record) noexcept {
  const uint64_t time = clock_.UtcTime();
  try {
    return RecordEvent(event, context, time, source, record);
  } catch (...) {  // memory is short
    writer_.CountDropped(time, 0);
    return AppendResult::kDropped;
  }
}

AppendResult Recorder::Started(PropertySource& source) noexcept {
  return Notify(kStarted, 0, source);
}

bool Recorder::Shutdown(uint32_t timeout_ms) noexcept { return writer_.Shutdown(timeout_ms); }

AppendResult Recorder::RecordEvent(int32_t event, int32_t context, uint64_t time,
                                   PropertySource& source, Record* record) {
  record->SetMaxBytes(writer_.MaxRecordBytes());
  record->event = event;
  record->context = context;
  record->time = time;
  record->process_id = CurrentProcessId();
  record->thread_id = CurrentThreadId();
  record->AddProperty(Record::Group::kCa, u"Name", Value::Text(BytesOf(ca_name_)));
  if (faulted()) {
    record->AddProblem(u"server", Reason::kFault);
  } else {
    const SecretNames* secrets = secrets_.load(std::memory_order_acquire);
    Collect(source, clock_, {kCollectBudgetMs, secrets, &known_names_}, record);
    if (source.Faulted()) StopCollecting();
  }
  const int64_t request_id = record->RequestId();
  const size_t size = EncodedSize(*record);
  journal::Buffer* buffer = writer_.Acquire(size);
  if (buffer == nullptr) {
    writer_.CountDropped(time, request_id);
    return AppendResult::kDropped;
  }
  EncodeRecord(*record, journal::Writer::Data(buffer), size);
  return writer_.Append(buffer, size, time, kRecordSchema, request_id);
}

}  // namespace collect
