#include "resources.h"

#include <windows.h>
// The header needs the one above.
#include <psapi.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <vector>

namespace standin {
namespace {

/// Wine's GetProcessHandleCount always says 0, so the handles are counted in the list of all.
constexpr ULONG kExtendedHandles = 64;
constexpr LONG kTooSmall = static_cast<LONG>(0xC0000004);
using QuerySystem = LONG(NTAPI*)(ULONG what, void* buffer, ULONG bytes, ULONG* needed);

struct HandleEntry {
  void* object;
  ULONG_PTR process_id;
  ULONG_PTR handle;
  ULONG access;
  USHORT creator;
  USHORT type;
  ULONG attributes;
  ULONG reserved;
};

struct HandleList {
  ULONG_PTR count;
  ULONG_PTR reserved;
  HandleEntry first;
};

size_t CountHandles() {
  const auto query = reinterpret_cast<QuerySystem>(reinterpret_cast<void*>(
      GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtQuerySystemInformation")));
  std::vector<HandleList> buffer(1'000);
  LONG status = kTooSmall;
  while (status == kTooSmall) {
    buffer.resize(buffer.size() * 2);
    const size_t bytes = buffer.size() * sizeof(HandleList);
    status = query(kExtendedHandles, buffer.data(), static_cast<ULONG>(bytes), nullptr);
  }
  if (status != 0) throw std::runtime_error("cannot list the handles");
  const std::span entries(&buffer.front().first, buffer.front().count);
  const ULONG_PTR self = GetCurrentProcessId();
  return static_cast<size_t>(std::ranges::count(entries, self, &HandleEntry::process_id));
}

}  // namespace

Resources MeasureResources() {
  PROCESS_MEMORY_COUNTERS memory = {};
  if (!K32GetProcessMemoryInfo(GetCurrentProcess(), &memory, sizeof(memory))) {
    throw std::runtime_error("cannot measure the memory");
  }
  // The same as PrivateUsage, which Wine leaves empty.
  return {CountHandles(), memory.PagefileUsage};
}

}  // namespace standin
