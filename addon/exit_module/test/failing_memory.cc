#include "failing_memory.h"

#include <windows.h>
// The header above has to come first.
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace exit_module_test {
namespace {

using Malloc = void* (*)(size_t);

thread_local bool active = false;
thread_local bool has_failed = false;
thread_local size_t good_ones = 0;
Malloc original = nullptr;

void* MallocThatFails(size_t size) {
  if (!active || has_failed) return original(size);
  if (good_ones-- > 0) return original(size);
  has_failed = true;
  return nullptr;
}

/// Where the DLL keeps the address of malloc.
Malloc* ImportOfMalloc() {
  auto* base = reinterpret_cast<uint8_t*>(GetModuleHandleW(L"certwire-exit.dll"));
  REQUIRE(base != nullptr);
  const auto* dos = reinterpret_cast<IMAGE_DOS_HEADER*>(base);
  const auto* headers = reinterpret_cast<IMAGE_NT_HEADERS*>(base + dos->e_lfanew);
  const auto& directory = headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
  for (auto* dll = reinterpret_cast<IMAGE_IMPORT_DESCRIPTOR*>(base + directory.VirtualAddress);
       dll->Name != 0; ++dll) {
    auto* name = reinterpret_cast<IMAGE_THUNK_DATA*>(base + dll->OriginalFirstThunk);
    auto* address = reinterpret_cast<IMAGE_THUNK_DATA*>(base + dll->FirstThunk);
    for (; name->u1.AddressOfData != 0; ++name, ++address) {
      if (IMAGE_SNAP_BY_ORDINAL(name->u1.Ordinal)) continue;
      const auto* import = reinterpret_cast<IMAGE_IMPORT_BY_NAME*>(base + name->u1.AddressOfData);
      if (std::strcmp(reinterpret_cast<const char*>(import->Name), "malloc") == 0) {
        return reinterpret_cast<Malloc*>(&address->u1.Function);
      }
    }
  }
  return nullptr;
}

/// Once, and for the life of the process: other threads call it at any time.
void Divert() {
  if (original != nullptr) return;
  Malloc* import = ImportOfMalloc();
  REQUIRE(import != nullptr);
  DWORD protection = 0;
  REQUIRE(VirtualProtect(import, sizeof *import, PAGE_READWRITE, &protection));
  original = *import;
  *import = MallocThatFails;
  VirtualProtect(import, sizeof *import, protection, &protection);
}

}  // namespace

FailingMemory::FailingMemory(size_t good) {
  Divert();
  good_ones = good;
  has_failed = false;
  active = true;
}

FailingMemory::~FailingMemory() { active = false; }

bool FailingMemory::failed() const { return has_failed; }

}  // namespace exit_module_test
