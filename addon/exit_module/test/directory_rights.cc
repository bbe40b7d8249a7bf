#include "directory_rights.h"

#include <aclapi.h>
#include <doctest/doctest.h>
#include <sddl.h>

namespace exit_module_test {
namespace {

constexpr SECURITY_INFORMATION kRights = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;

/// Calls `use(owner, access list)` with what the file has.
template <typename Use>
void WithSecurity(const std::wstring& path, Use use) {
  PSID owner = nullptr;
  PACL access = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  REQUIRE(GetNamedSecurityInfoW(path.c_str(), SE_FILE_OBJECT, kRights, &owner, nullptr, &access,
                                nullptr, &descriptor) == ERROR_SUCCESS);
  use(owner, access);
  LocalFree(descriptor);
}

bool IsProcessUser(PSID sid) {
  HANDLE token = nullptr;
  REQUIRE(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
  alignas(TOKEN_USER) uint8_t memory[256];
  DWORD size = 0;
  REQUIRE(GetTokenInformation(token, TokenUser, memory, sizeof memory, &size));
  CloseHandle(token);
  return EqualSid(reinterpret_cast<TOKEN_USER*>(memory)->User.Sid, sid);
}

}  // namespace

bool IsOwnedByAdministrators(const std::wstring& path) {
  bool owned = false;
  WithSecurity(path, [&](PSID owner, PACL) {
    owned = IsWellKnownSid(owner, WinBuiltinAdministratorsSid) || IsProcessUser(owner);
  });
  return owned;
}

DWORD RightsOfEveryone(const std::wstring& path) {
  DWORD rights = 0;
  WithSecurity(path, [&](PSID, PACL access) {
    REQUIRE(access != nullptr);
    for (DWORD i = 0; i < access->AceCount; ++i) {
      void* entry = nullptr;
      REQUIRE(GetAce(access, i, &entry));
      auto* allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
      if (IsWellKnownSid(&allowed->SidStart, WinWorldSid)) rights |= allowed->Mask;
    }
  });
  return rights;
}

namespace {

void SetRights(const std::wstring& path, const wchar_t* rights) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  REQUIRE(ConvertStringSecurityDescriptorToSecurityDescriptorW(rights, SDDL_REVISION_1, &descriptor,
                                                               nullptr));
  REQUIRE(SetFileSecurityW(path.c_str(), DACL_SECURITY_INFORMATION, descriptor));
  LocalFree(descriptor);
}

}  // namespace

void CloseToOthers(const std::wstring& path) {
  SetRights(path, L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)");
}

void OpenToEveryone(const std::wstring& path) { SetRights(path, L"D:P(A;OICI;FA;;;WD)"); }

}  // namespace exit_module_test
