#include "support/child_process.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace test {

#if defined(_WIN32)
namespace {

constexpr UINT kKilled = 0xdead;

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments) {
  char program[MAX_PATH] = {};
  GetModuleFileNameA(nullptr, program, MAX_PATH);
  std::string line;
  line.append("\"").append(program).append("\"");
  for (const std::string& argument : arguments) line.append(" \"").append(argument).append("\"");
  STARTUPINFOA startup = {};
  startup.cb = sizeof(startup);
  PROCESS_INFORMATION process = {};
  if (!CreateProcessA(program, line.data(), nullptr, nullptr, FALSE, 0, nullptr, nullptr, &startup,
                      &process)) {
    return;
  }
  CloseHandle(process.hThread);
  handle_ = reinterpret_cast<intptr_t>(process.hProcess);
}

ChildProcess::~ChildProcess() {
  if (handle_ != -1) CloseHandle(reinterpret_cast<HANDLE>(handle_));
}

// Without a process, -1 must not reach Windows: as a handle it means this process.
void ChildProcess::Kill() {
  if (handle_ != -1) TerminateProcess(reinterpret_cast<HANDLE>(handle_), kKilled);
}

bool ChildProcess::HasEnded() const {
  return handle_ == -1 || WaitForSingleObject(reinterpret_cast<HANDLE>(handle_), 0) != WAIT_TIMEOUT;
}

int ChildProcess::Wait() {
  if (handle_ == -1) return -1;
  const auto process = reinterpret_cast<HANDLE>(handle_);
  DWORD code = kKilled;
  WaitForSingleObject(process, INFINITE);
  GetExitCodeProcess(process, &code);
  return code == kKilled ? -1 : static_cast<int>(code);
}

void EndWithParent() {}

void KillThisProcess() { TerminateProcess(GetCurrentProcess(), kKilled); }

SharedMemory::SharedMemory(const std::string& path, size_t size) {
  const HANDLE file = CreateFileA(path.c_str(), GENERIC_READ | GENERIC_WRITE,
                                  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                  OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) return;
  const HANDLE mapping =
      CreateFileMappingA(file, nullptr, PAGE_READWRITE, static_cast<DWORD>(uint64_t{size} >> 32),
                         static_cast<DWORD>(size), nullptr);
  CloseHandle(file);
  if (mapping == nullptr) return;
  memory_ = MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0, size);
  CloseHandle(mapping);
}
#else
ChildProcess::ChildProcess(const std::vector<std::string>& arguments) {
  std::vector<char*> texts;
  std::string program = "/proc/self/exe";
  texts.push_back(program.data());
  std::vector<std::string> copies = arguments;
  for (std::string& copy : copies) texts.push_back(copy.data());
  texts.push_back(nullptr);
  pid_t pid = -1;
  if (posix_spawn(&pid, program.c_str(), nullptr, nullptr, texts.data(), environ) == 0) {
    handle_ = pid;
  }
}

ChildProcess::~ChildProcess() = default;

void ChildProcess::Kill() {
  if (handle_ > 0) kill(static_cast<pid_t>(handle_), SIGKILL);
}

bool ChildProcess::HasEnded() const {
  siginfo_t info = {};
  // Leaves the process to be waited for.
  const int error = waitid(P_PID, static_cast<id_t>(handle_), &info, WEXITED | WNOHANG | WNOWAIT);
  return handle_ <= 0 || error != 0 || info.si_pid != 0;
}

int ChildProcess::Wait() {
  int status = 0;
  if (handle_ <= 0 || waitpid(static_cast<pid_t>(handle_), &status, 0) != handle_) return -1;
  handle_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void EndWithParent() { prctl(PR_SET_PDEATHSIG, SIGKILL); }

void KillThisProcess() { kill(getpid(), SIGKILL); }

SharedMemory::SharedMemory(const std::string& path, size_t size) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return;
  if (ftruncate(descriptor, static_cast<off_t>(size)) == 0) {
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory != MAP_FAILED) memory_ = memory;
  }
  close(descriptor);
}
#endif

}  // namespace test
