#include "child_process.h"

#include <utility>
#include <vector>

namespace service_host {
namespace {

constexpr DWORD kOutputPipeBytes = 1 << 16;
/// Exit code of a process that did not end by itself: EX_SOFTWARE.
constexpr UINT kTerminated = 70;

/// A pipe of which the process inherits one end.
DWORD MakePipe(Handle* read, Handle* write, DWORD bytes, const Handle* ours) {
  SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
  HANDLE read_end = nullptr;
  HANDLE write_end = nullptr;
  if (!CreatePipe(&read_end, &write_end, &inherited, bytes)) return GetLastError();
  *read = Handle(read_end);
  *write = Handle(write_end);
  return SetHandleInformation(ours->get(), HANDLE_FLAG_INHERIT, 0) ? 0 : GetLastError();
}

DWORD MakeJob(Handle* job) {
  *job = Handle(CreateJobObjectW(nullptr, nullptr));
  if (!*job) return GetLastError();
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
  limits.BasicLimitInformation.LimitFlags =
      JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION;
  return SetInformationJobObject(job->get(), JobObjectExtendedLimitInformation, &limits,
                                 sizeof limits)
             ? 0
             : GetLastError();
}

/// What a new process gets besides its command line.
class Attributes {
 public:
  explicit Attributes(DWORD count) {
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(nullptr, count, 0, &size);
    memory_.resize(size);
    is_made_ = InitializeProcThreadAttributeList(get(), count, 0, &size);
  }
  ~Attributes() {
    if (is_made_) DeleteProcThreadAttributeList(get());
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  /// The value is used by its address.
  bool Set(DWORD_PTR attribute, void* value, size_t size) {
    return is_made_ &&
           UpdateProcThreadAttribute(get(), 0, attribute, value, size, nullptr, nullptr);
  }
  LPPROC_THREAD_ATTRIBUTE_LIST get() {
    return reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data());
  }

 private:
  std::vector<char> memory_;
  bool is_made_ = false;
};

}  // namespace

/// The ends of the pipes that the process gets.
struct ChildProcess::Pipes {
  Handle input;
  Handle output;
};

DWORD ChildProcess::Start(const std::wstring& program, std::wstring command_line) {
  Pipes pipes;
  DWORD error = MakePipe(&pipes.input, &input_, 0, &input_);
  if (error == 0) error = MakePipe(&output_, &pipes.output, kOutputPipeBytes, &output_);
  if (error == 0) error = MakeJob(&job_);
  if (error == 0) error = Create(program, &command_line, pipes);
  return error;
}

DWORD ChildProcess::Create(const std::wstring& program, std::wstring* command_line,
                           const Pipes& pipes) {
  // Nothing but the pipes is inherited, and the process is in the job before it runs: a host that
  // is killed at any moment leaves no process.
  HANDLE inherited[] = {pipes.input.get(), pipes.output.get()};
  HANDLE job = job_.get();
  Attributes attributes(2);
  if (!attributes.Set(PROC_THREAD_ATTRIBUTE_HANDLE_LIST, inherited, sizeof inherited) ||
      !attributes.Set(PROC_THREAD_ATTRIBUTE_JOB_LIST, &job, sizeof job)) {
    return GetLastError();
  }
  STARTUPINFOEXW start{};
  start.StartupInfo.cb = sizeof start;
  start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
  start.StartupInfo.hStdInput = pipes.input.get();
  start.StartupInfo.hStdOutput = pipes.output.get();
  start.StartupInfo.hStdError = pipes.output.get();
  start.lpAttributeList = attributes.get();
  PROCESS_INFORMATION made{};
  // A console of its own, without a window: Ctrl-C in the host's console is not for the program.
  if (!CreateProcessW(program.c_str(), command_line->data(), nullptr, nullptr, TRUE,
                      CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT,
                      nullptr, nullptr, &start.StartupInfo, &made)) {
    return GetLastError();
  }
  CloseHandle(made.hThread);
  process_ = Handle(made.hProcess);
  id_ = made.dwProcessId;
  return 0;
}

DWORD ChildProcess::ExitCode() const {
  DWORD code = 0;
  GetExitCodeProcess(process_.get(), &code);
  return code;
}

void ChildProcess::Terminate() { TerminateJobObject(job_.get(), kTerminated); }

}  // namespace service_host
