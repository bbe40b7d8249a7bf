#ifndef CERTWIRE_SERVICE_HOST_CHILD_PROCESS_H_
#define CERTWIRE_SERVICE_HOST_CHILD_PROCESS_H_

#include <windows.h>

#include <string>

#include "handle.h"

namespace service_host {

/// A process in a job of its own, with pipes for standard input and output. The job ends with this
/// object, or with the host however that ends, and with it every process in it.
class ChildProcess {
 public:
  /// Starts a program; `program` is its full path, `command_line` includes it. Returns 0 or a
  /// Windows error.
  DWORD Start(const std::wstring& program, std::wstring command_line);

  /// Signalled when the process has ended.
  HANDLE process() const { return process_.get(); }
  DWORD id() const { return id_; }
  DWORD ExitCode() const;

  /// What the process reads comes to an end.
  void CloseInput() { input_.Close(); }

  /// Ends every process of the job now.
  void Terminate();

  /// What the process writes to standard output and standard error.
  Handle TakeOutput() { return std::move(output_); }

 private:
  struct Pipes;
  DWORD Create(const std::wstring& program, std::wstring* command_line, const Pipes& pipes);

  Handle input_;
  Handle output_;
  Handle job_;
  Handle process_;
  DWORD id_ = 0;
};

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_CHILD_PROCESS_H_
