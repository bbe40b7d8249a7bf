#include "reader_wrap.h"

#include <utility>

#include "own_thread_promise.h"
#include "promise_worker.h"
#include "values.h"

namespace binding {
namespace {

// Columns of NativeBatch.table, in the order that src/native/addon.ts documents.
constexpr size_t kTableStride = 12;

bool ParsePosition(const Napi::Object& object, journal::Position* position) {
  bool lossless = false;
  position->epoch_number = object.Get("epochNumber").ToNumber().Uint32Value();
  position->segment = object.Get("segment").ToNumber().Uint32Value();
  const double offset = object.Get("offset").ToNumber().DoubleValue();
  if (!(offset >= 0) || offset > 9007199254740991.0) return false;
  position->offset = static_cast<uint64_t>(offset);
  const Napi::Value sequence = object.Get("sequence");
  if (!sequence.IsBigInt()) return false;
  position->sequence = sequence.As<Napi::BigInt>().Uint64Value(&lossless);
  return lossless && ParseEpochId(object.Get("epochId").ToString().Utf8Value(), position->epoch_id);
}

bool ParseOptions(const Napi::Object& object, journal::ReaderOptions* options) {
  options->directory = object.Get("directory").ToString().Utf8Value();
  const Napi::Value quarantine = object.Get("quarantineDirectory");
  if (quarantine.IsString()) options->quarantine_directory = quarantine.ToString().Utf8Value();
  const std::string mode = object.Get("mode").ToString().Utf8Value();
  if (mode != "durable" && mode != "committed") return false;
  options->mode = mode == "durable" ? journal::ReadMode::kDurable : journal::ReadMode::kCommitted;
  options->max_batch_bytes = object.Get("maxBatchBytes").ToNumber().Uint32Value();
  options->max_batch_frames = object.Get("maxBatchFrames").ToNumber().Uint32Value();
  if (options->max_batch_bytes == 0 || options->max_batch_frames == 0) return false;
  const Napi::Value position = object.Get("position");
  options->has_position = position.IsObject();
  return !options->has_position || ParsePosition(position.As<Napi::Object>(), &options->position);
}

void FillRow(const journal::Entry& entry, uint64_t* row) {
  const uint64_t values[kTableStride] = {
      entry.type,         entry.schema,   entry.index,  entry.epoch_number,
      entry.epoch_row,    entry.sequence, entry.time,   entry.payload_offset,
      entry.payload_size, entry.segment,  entry.offset, entry.is_chain_broken};
  for (size_t i = 0; i < kTableStride; i++) row[i] = values[i];
}

Napi::Object ToObject(Napi::Env env, const journal::Batch& batch) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("buffer",
             Napi::Buffer<uint8_t>::Copy(env, batch.payloads.data(), batch.payloads.size()));
  auto table = Napi::BigUint64Array::New(env, batch.entries.size() * kTableStride);
  for (size_t i = 0; i < batch.entries.size(); i++) {
    FillRow(batch.entries[i], table.Data() + i * kTableStride);
  }
  object.Set("table", table);
  Napi::Array ids = Napi::Array::New(env, batch.epoch_ids.size());
  for (uint32_t i = 0; i < batch.epoch_ids.size(); i++) ids.Set(i, batch.epoch_ids[i]);
  object.Set("epochIds", ids);
  return object;
}

Napi::Array ToArray(Napi::Env env, const journal::DurationCounts& counts) {
  Napi::Array buckets = Napi::Array::New(env);
  for (size_t i = 0; i < journal::kDurationBuckets; i++) {
    if (counts.buckets[i] == 0) continue;
    Napi::Array bucket = Napi::Array::New(env, 2);
    bucket.Set(uint32_t{0}, static_cast<double>(journal::DurationBucketStart(i)));
    bucket.Set(uint32_t{1}, static_cast<double>(counts.buckets[i]));
    buckets.Set(buckets.Length(), bucket);
  }
  return buckets;
}

}  // namespace

class ReadWorker final : public PromiseWorker {
 public:
  ReadWorker(Napi::Env env, ReaderWrap* owner)
      : PromiseWorker(env), owner_(owner), reader_(owner->reader_) {
    owner_->BeginRead();
  }

 protected:
  journal::Status Work() override { return reader_->Read(&batch_); }

  void WorkEnded() override {
    blocking_segment_ = reader_->BlockingSegment();
    owner_->EndRead(*reader_);
  }

  Napi::Value Result() override {
    if (batch_.entries.empty()) return Env().Null();
    return ToObject(Env(), batch_);
  }

  Napi::Error Failure(journal::Status status) override {
    return ToError(Env(), status, blocking_segment_);
  }

 private:
  ReaderWrap* owner_;
  std::shared_ptr<journal::Reader> reader_;
  journal::Batch batch_;
  std::string blocking_segment_;
};

/// A read that may wait: on a thread of its own, since some that wait would leave none for others.
struct WaitingRead {
  ReaderWrap* owner;
  std::shared_ptr<journal::Reader> reader;
  uint32_t wait_ms;
  uint32_t poll_ms;
  journal::Batch batch;
  journal::Status status;

  void Work() { status = reader->ReadWithin(wait_ms, poll_ms, &batch); }

  void Settle(Napi::Env env, const Napi::Promise::Deferred& deferred) const {
    owner->EndRead(*reader);
    if (!status.ok()) {
      deferred.Reject(ToError(env, status, reader->BlockingSegment()).Value());
    } else if (batch.entries.empty()) {
      deferred.Resolve(env.Null());
    } else {
      deferred.Resolve(ToObject(env, batch));
    }
  }
};

Napi::Function ReaderWrap::Define(Napi::Env env) {
  return DefineClass(
      env, "JournalReader",
      {InstanceMethod("read", &ReaderWrap::Read), InstanceMethod("stats", &ReaderWrap::Stats),
       InstanceMethod("atEnd", &ReaderWrap::AtEnd),
       InstanceMethod("writerTimes", &ReaderWrap::WriterTimes),
       InstanceMethod("close", &ReaderWrap::Close)});
}

ReaderWrap::ReaderWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ReaderWrap>(info) {
  journal::ReaderOptions options;
  if (!info[0].IsObject() || !ParseOptions(info[0].As<Napi::Object>(), &options)) {
    Napi::TypeError::New(info.Env(), "JournalReader: invalid options").ThrowAsJavaScriptException();
    return;
  }
  reader_ = journal::Reader::Open(std::move(options));
}

Napi::Value ReaderWrap::Read(const Napi::CallbackInfo& info) {
  if (!reader_ || reading_) {
    Napi::Error::New(info.Env(), reader_ ? "a read is under way" : "the reader is closed")
        .ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  const uint32_t wait_ms = info[0].ToNumber().Uint32Value();
  if (!info[0].IsNumber() || wait_ms == 0) return (new ReadWorker(info.Env(), this))->Start();
  const uint32_t poll_ms = info[1].ToNumber().Uint32Value();
  WaitingRead task{this, reader_, wait_ms, poll_ms, {}, {}};
  const Napi::Value promise =
      OwnThreadPromise<WaitingRead>::Start(info.Env(), std::move(task), true);
  // Without a thread nothing settles.
  if (promise.IsPromise()) BeginRead();
  return promise;
}

void ReaderWrap::BeginRead() {
  reading_ = true;
  Ref();
}

void ReaderWrap::EndRead(const journal::Reader& reader) {
  stats_ = reader.Stats();
  at_end_ = reader.AtEnd();
  reading_ = false;
  Unref();
}

Napi::Value ReaderWrap::Stats(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("framesRead", static_cast<double>(stats_.frames_read));
  object.Set("gapsFound", static_cast<double>(stats_.gaps_found));
  object.Set("unmarkedFrames", static_cast<double>(stats_.unmarked_frames));
  object.Set("quarantinedRanges", static_cast<double>(stats_.quarantined_ranges));
  object.Set("damagedRanges", static_cast<double>(stats_.damaged_ranges));
  object.Set("positionLost", stats_.position_lost);
  object.Set("brokenLinks", static_cast<double>(stats_.broken_links));
  object.Set("brokenEpoch", static_cast<double>(stats_.broken_epoch));
  object.Set("brokenSequence", ToBigInt(info.Env(), stats_.broken_sequence));
  return object;
}

Napi::Value ReaderWrap::AtEnd(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), at_end_);
}

Napi::Value ReaderWrap::WriterTimes(const Napi::CallbackInfo& info) {
  if (!reader_ || reading_) {
    Napi::Error::New(info.Env(), reader_ ? "a read is under way" : "the reader is closed")
        .ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  const journal::WriterTimes times = reader_->Times();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("append", ToArray(info.Env(), times.append));
  object.Set("write", ToArray(info.Env(), times.write));
  object.Set("flush", ToArray(info.Env(), times.flush));
  return object;
}

void ReaderWrap::Close(const Napi::CallbackInfo&) {
  if (reader_) reader_->StopWaiting();
  reader_.reset();
}

}  // namespace binding
