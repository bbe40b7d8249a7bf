#ifndef CERTWIRE_NODE_READER_WRAP_H_
#define CERTWIRE_NODE_READER_WRAP_H_

#include <napi.h>

#include <memory>

#include "journal/reader.h"

namespace binding {

/// `JournalReader` of src/native/addon.ts. JavaScript awaits each read before the next one, and
/// the class refuses a second call while one is under way: the reader itself is not thread-safe.
class ReaderWrap : public Napi::ObjectWrap<ReaderWrap> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit ReaderWrap(const Napi::CallbackInfo& info);

 private:
  friend class ReadWorker;
  friend struct WaitingRead;

  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  Napi::Value AtEnd(const Napi::CallbackInfo& info);
  Napi::Value WriterTimes(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  void BeginRead();
  void EndRead(const journal::Reader& reader);

  // Shared with a read under way, so that close() never frees a reader in use.
  std::shared_ptr<journal::Reader> reader_;
  journal::ReaderStats stats_;
  bool at_end_ = false;
  bool reading_ = false;
};

}  // namespace binding

#endif  // CERTWIRE_NODE_READER_WRAP_H_
