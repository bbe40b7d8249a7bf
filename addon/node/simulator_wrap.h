#ifndef CERTWIRE_NODE_SIMULATOR_WRAP_H_
#define CERTWIRE_NODE_SIMULATOR_WRAP_H_

#include <napi.h>

#include <memory>
#include <string>

#include "collect/recorder.h"
#include "journal/writer.h"
#include "simulated_volume.h"

namespace binding {

/// `ExitSimulator` of src/native/addon.ts: the exit module's own collection and journal, fed with
/// the answers of a simulated CA.
class SimulatorWrap : public Napi::ObjectWrap<SimulatorWrap> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit SimulatorWrap(const Napi::CallbackInfo& info);

 private:
  struct DestroyWriter {
    void operator()(journal::Writer* writer) const { journal::Writer::Destroy(writer); }
  };

  Napi::Value Notify(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  Napi::Value Shutdown(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);
  bool ThrowIfClosed(Napi::Env env) const;

  std::unique_ptr<SimulatedVolume> volume_;
  std::unique_ptr<journal::Writer, DestroyWriter> writer_;
  std::unique_ptr<collect::Recorder> recorder_;
};

}  // namespace binding

#endif  // CERTWIRE_NODE_SIMULATOR_WRAP_H_
