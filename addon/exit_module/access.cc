#include "access.h"

#include <aclapi.h>
#include <sddl.h>

#include <memory>
#include <vector>

namespace exit_module {

// SYSTEM and Administrators have all rights. The long SID is that of NT SERVICE\Certwire: it
// follows from the name (SHA-1 of its upper case), so it can be named before the service exists.
#define CERTWIRE_SERVICE L"S-1-5-80-1952071477-2823676603-2563781728-2925897039-3473684931"
#define CERTWIRE_OWNERS L"O:BAG:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
const wchar_t kBaseRights[] = CERTWIRE_OWNERS L"(A;;FRFX;;;" CERTWIRE_SERVICE L")";
// The service may list the directory, and read and delete the files in it.
const wchar_t kJournalRights[] =
    CERTWIRE_OWNERS L"(A;;FRFX;;;" CERTWIRE_SERVICE L")(A;OIIO;FRSD;;;" CERTWIRE_SERVICE L")";
const wchar_t kStateRights[] = CERTWIRE_OWNERS L"(A;OICI;0x1301bf;;;" CERTWIRE_SERVICE L")";
const wchar_t kConfigRights[] = CERTWIRE_OWNERS L"(A;OICI;FRFX;;;" CERTWIRE_SERVICE L")";

namespace {

const wchar_t* const kTrustedSids[] = {
    L"S-1-5-18",                                                        // SYSTEM
    L"S-1-5-32-544",                                                    // Administrators
    L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",  // TrustedInstaller
};

constexpr DWORD kChangingRights = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | DELETE |
                                  WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL;

struct FreeLocal {
  void operator()(void* memory) const { LocalFree(memory); }
};
using LocalMemory = std::unique_ptr<void, FreeLocal>;

/// SID of the account that this process runs as.
class ProcessUser {
 public:
  ProcessUser() {
    HANDLE token = nullptr;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return;
    DWORD size = 0;
    GetTokenInformation(token, TokenUser, nullptr, 0, &size);
    memory_.resize(size);
    if (!GetTokenInformation(token, TokenUser, memory_.data(), size, &size)) memory_.clear();
    CloseHandle(token);
  }
  bool Is(PSID sid) const {
    if (memory_.empty()) return false;
    return EqualSid(reinterpret_cast<const TOKEN_USER*>(memory_.data())->User.Sid, sid);
  }

 private:
  std::vector<uint8_t> memory_;
};

bool IsTrusted(PSID sid, const ProcessUser& user) {
  if (sid == nullptr || !IsValidSid(sid)) return false;
  for (const wchar_t* trusted : kTrustedSids) {
    PSID parsed = nullptr;
    if (!ConvertStringSidToSidW(trusted, &parsed)) continue;
    const LocalMemory memory(parsed);
    if (EqualSid(parsed, sid)) return true;
  }
  return user.Is(sid);
}

/// Owner and access list of a file or directory.
struct Security {
  LocalMemory memory;
  PSID owner = nullptr;
  PACL access = nullptr;
};

DWORD ReadSecurity(const std::wstring& path, Security* security) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  const DWORD error = GetNamedSecurityInfoW(
      path.c_str(), SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
      &security->owner, nullptr, &security->access, nullptr, &descriptor);
  security->memory.reset(descriptor);
  return error;
}

/// True when the access list lets nobody else change things. A missing list lets everybody.
bool IsGuarded(const Security& security, const ProcessUser& user) {
  if (!IsTrusted(security.owner, user) || security.access == nullptr) return false;
  for (DWORD i = 0; i < security.access->AceCount; ++i) {
    void* entry = nullptr;
    if (!GetAce(security.access, i, &entry)) return false;
    auto* allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
    if (allowed->Header.AceType != ACCESS_ALLOWED_ACE_TYPE) continue;
    if ((allowed->Header.AceFlags & INHERIT_ONLY_ACE) != 0) continue;
    if ((allowed->Mask & kChangingRights) == 0) continue;
    if (!IsTrusted(&allowed->SidStart, user)) return false;
  }
  return true;
}

bool IsReparsePoint(const std::wstring& path) {
  const DWORD attributes = GetFileAttributesW(path.c_str());
  return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
}

bool IsLocalFullPath(const std::wstring& path) {
  return path.size() > 3 && path[1] == L':' && path[2] == L'\\' && path.find(L"\\..") == path.npos;
}

std::wstring ErrorText(const wchar_t* what, DWORD error) {
  return std::wstring(what) + L" (Windows error " + std::to_wstring(error) + L")";
}

DWORD ApplyRights(const std::wstring& path, PSECURITY_DESCRIPTOR descriptor) {
  PSID owner = nullptr;
  PACL access = nullptr;
  BOOL present = FALSE;
  BOOL defaulted = FALSE;
  if (!GetSecurityDescriptorOwner(descriptor, &owner, &defaulted) ||
      !GetSecurityDescriptorDacl(descriptor, &present, &access, &defaulted)) {
    return GetLastError();
  }
  auto* name = const_cast<wchar_t*>(path.c_str());
  return SetNamedSecurityInfoW(
      name, SE_FILE_OBJECT,
      OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
      owner, nullptr, access, nullptr);
}

}  // namespace

DWORD SecureDirectory(const std::wstring& path, const wchar_t* rights) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(rights, SDDL_REVISION_1, &descriptor,
                                                            nullptr)) {
    return GetLastError();
  }
  const LocalMemory memory(descriptor);
  SECURITY_ATTRIBUTES attributes = {sizeof attributes, descriptor, FALSE};
  if (CreateDirectoryW(path.c_str(), &attributes)) return ERROR_SUCCESS;
  const DWORD error = GetLastError();
  if (error != ERROR_ALREADY_EXISTS) return error;
  // Anybody may make a directory below %ProgramData% before we do.
  if (IsReparsePoint(path)) return kReparsePointEncountered;
  return ApplyRights(path, descriptor);
}

std::wstring DistrustReason(const std::wstring& directory) {
  if (!IsLocalFullPath(directory)) return L"it is no full path on a local drive";
  const DWORD attributes = GetFileAttributesW(directory.c_str());
  if (attributes == INVALID_FILE_ATTRIBUTES) return ErrorText(L"it cannot be read", GetLastError());
  if ((attributes & FILE_ATTRIBUTE_DIRECTORY) == 0) return L"it is no directory";
  for (size_t end = directory.find(L'\\', 3);; end = directory.find(L'\\', end + 1)) {
    const std::wstring component = directory.substr(0, end);
    if (IsReparsePoint(component)) return component + L" is a reparse point (a link)";
    if (end == directory.npos) break;
  }
  Security security;
  const DWORD error = ReadSecurity(directory, &security);
  if (error != ERROR_SUCCESS) return ErrorText(L"its owner cannot be read", error);
  if (IsTrusted(security.owner, ProcessUser())) return L"";
  return L"its owner is neither the system nor the group of administrators";
}

bool IsWritableByOthers(const std::wstring& file) {
  const ProcessUser user;
  const std::wstring directory = file.substr(0, file.find_last_of(L'\\'));
  for (const std::wstring& path : {file, directory}) {
    Security security;
    if (ReadSecurity(path, &security) != ERROR_SUCCESS || !IsGuarded(security, user)) return true;
  }
  return false;
}

}  // namespace exit_module
