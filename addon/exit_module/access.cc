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
    L"S-1-3-0",  // CREATOR OWNER: whoever makes a file, which others may not
    L"S-1-3-4",  // OWNER RIGHTS: the owner is checked by itself
    // Owner of every file in Wine, which has no access lists. In Windows nobody has this SID.
    L"S-1-5-21-0-0-0-1000",
};

constexpr DWORD kReplacingRights =
    FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL;
/// With the right to write attributes an empty directory can be made a reparse point.
constexpr DWORD kChangingRights = kReplacingRights | FILE_WRITE_DATA | FILE_APPEND_DATA |
                                  FILE_WRITE_ATTRIBUTES | FILE_WRITE_EA | GENERIC_WRITE;

/// What shows the content of a file.
constexpr DWORD kReadingRights = FILE_READ_DATA | GENERIC_READ | GENERIC_ALL;

/// What only trusted accounts may do.
struct Guard {
  DWORD rights = kChangingRights;
  DWORD service_may = 0;      ///< rights that the service may have nevertheless
  bool for_children = false;  ///< what only children inherit counts too
};
constexpr Guard kFileGuard;
constexpr Guard kJournalGuard = {kChangingRights, DELETE | FILE_DELETE_CHILD, true};
constexpr Guard kParentGuard = {kReplacingRights, 0, false};
constexpr Guard kReadGuard = {kReadingRights, kReadingRights, true};

struct FreeLocal {
  void operator()(void* memory) const { LocalFree(memory); }
};
using LocalMemory = std::unique_ptr<void, FreeLocal>;

/// SID of the account that this process runs as.
class ProcessUser {
 public:
  /// Stands for no account.
  static ProcessUser Nobody() { return ProcessUser(nullptr); }
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
  explicit ProcessUser(std::nullptr_t) {}

  std::vector<uint8_t> memory_;
};

bool IsSid(PSID sid, const wchar_t* text) {
  PSID parsed = nullptr;
  if (sid == nullptr || !ConvertStringSidToSidW(text, &parsed)) return false;
  const LocalMemory memory(parsed);
  return EqualSid(parsed, sid);
}

bool IsTrusted(PSID sid, const ProcessUser& user) {
  if (sid == nullptr || !IsValidSid(sid)) return false;
  for (const wchar_t* trusted : kTrustedSids) {
    if (IsSid(sid, trusted)) return true;
  }
  return user.Is(sid);
}

/// Owner and access list of a file or directory.
struct Security {
  LocalMemory memory;
  PSID owner = nullptr;
  PACL access = nullptr;
};

DWORD ReadSecurity(HANDLE object, Security* security) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  const DWORD error = GetSecurityInfo(
      object, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
      &security->owner, nullptr, &security->access, nullptr, &descriptor);
  security->memory.reset(descriptor);
  return error;
}

/// A file or directory, opened as itself even when it is a reparse point.
class Opened {
 public:
  Opened(const std::wstring& path, DWORD access)
      : handle_(CreateFileW(
            path.c_str(), access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
            OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, nullptr)),
        error_(handle_ == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS) {}
  ~Opened() {
    if (handle_ != INVALID_HANDLE_VALUE) CloseHandle(handle_);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  HANDLE get() const { return handle_; }
  DWORD error() const { return error_; }

 private:
  const HANDLE handle_;
  const DWORD error_;
};

DWORD ReadSecurity(const std::wstring& path, Security* security) {
  const Opened opened(path, READ_CONTROL);
  return opened.error() != ERROR_SUCCESS ? opened.error() : ReadSecurity(opened.get(), security);
}

bool IsDenying(BYTE entry_type) {
  return entry_type == ACCESS_DENIED_ACE_TYPE || entry_type == ACCESS_DENIED_OBJECT_ACE_TYPE ||
         entry_type == ACCESS_DENIED_CALLBACK_ACE_TYPE ||
         entry_type == ACCESS_DENIED_CALLBACK_OBJECT_ACE_TYPE;
}

/// True when the entry gives no other account what the guard protects. Entries that depend on
/// conditions or object types are not expected here and count as giving it to everyone.
bool IsHarmless(const ACE_HEADER& entry, const Guard& guard, const ProcessUser& user) {
  if (IsDenying(entry.AceType)) return true;
  if ((entry.AceFlags & INHERIT_ONLY_ACE) != 0 && !guard.for_children) return true;
  if (entry.AceType != ACCESS_ALLOWED_ACE_TYPE) return false;
  auto& allowed = reinterpret_cast<const ACCESS_ALLOWED_ACE&>(entry);
  const PSID sid = const_cast<DWORD*>(&allowed.SidStart);
  DWORD given = allowed.Mask & guard.rights;
  if (IsSid(sid, CERTWIRE_SERVICE)) given &= ~guard.service_may;
  return given == 0 || IsTrusted(sid, user);
}

/// True when the access list lets no other account change things. A missing list lets everyone.
bool IsGuarded(const Security& security, const Guard& guard, const ProcessUser& user) {
  if (security.access == nullptr) return false;
  for (DWORD i = 0; i < security.access->AceCount; ++i) {
    void* entry = nullptr;
    if (!GetAce(security.access, i, &entry)) return false;
    if (!IsHarmless(*static_cast<const ACE_HEADER*>(entry), guard, user)) return false;
  }
  return true;
}

bool IsReparsePoint(const std::wstring& path) {
  const DWORD attributes = GetFileAttributesW(path.c_str());
  return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
}

/// The root of a drive ends with its backslash.
std::wstring ParentOf(const std::wstring& path) {
  const size_t end = path.find_last_of(L'\\');
  return path.substr(0, end > 0 && path[end - 1] == L':' ? end + 1 : end);
}

/// The path without links, as `\\?\C:\...`; empty when it cannot be had.
std::wstring FinalPath(const std::wstring& path) {
  HANDLE file = CreateFileW(path.c_str(), READ_CONTROL,
                            FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                            OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
  if (file == INVALID_HANDLE_VALUE) return L"";
  std::wstring final_path(32768, L'\0');
  const DWORD size = GetFinalPathNameByHandleW(
      file, final_path.data(), static_cast<DWORD>(final_path.size()), VOLUME_NAME_DOS);
  CloseHandle(file);
  final_path.resize(size < final_path.size() ? size : 0);
  return final_path;
}

std::wstring ErrorText(const wchar_t* what, DWORD error) {
  return std::wstring(what) + L" (Windows error " + std::to_wstring(error) + L")";
}

DWORD ApplyRights(HANDLE directory, PSECURITY_DESCRIPTOR descriptor) {
  PSID owner = nullptr;
  PACL access = nullptr;
  BOOL present = FALSE;
  BOOL defaulted = FALSE;
  if (!GetSecurityDescriptorOwner(descriptor, &owner, &defaulted) ||
      !GetSecurityDescriptorDacl(descriptor, &present, &access, &defaulted)) {
    return GetLastError();
  }
  return SetSecurityInfo(
      directory, SE_FILE_OBJECT,
      OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
      owner, nullptr, access, nullptr);
}

DWORD CheckOwner(const Security& security, const ProcessUser& user) {
  if (IsTrusted(security.owner, user) || IsSid(security.owner, CERTWIRE_SERVICE)) {
    return ERROR_SUCCESS;
  }
  return ERROR_INVALID_OWNER;
}

/// ERROR_SUCCESS when it is neither a link nor one of several names of a file.
DWORD CheckHasOneName(HANDLE object) {
  BY_HANDLE_FILE_INFORMATION information;
  if (!GetFileInformationByHandle(object, &information)) return GetLastError();
  if ((information.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
    return kReparsePointEncountered;
  }
  const bool is_directory = (information.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
  return !is_directory && information.nNumberOfLinks > 1 ? ERROR_TOO_MANY_LINKS : ERROR_SUCCESS;
}

DWORD CheckEntry(const std::wstring& path, const ProcessUser& user) {
  const Opened opened(path, READ_CONTROL | FILE_READ_ATTRIBUTES);
  if (opened.error() != ERROR_SUCCESS) return opened.error();
  Security security;
  DWORD error = ReadSecurity(opened.get(), &security);
  if (error == ERROR_SUCCESS) error = CheckOwner(security, user);
  return error == ERROR_SUCCESS ? CheckHasOneName(opened.get()) : error;
}

bool IsPlainDirectory(const WIN32_FIND_DATAW& found) {
  constexpr DWORD kKinds = FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT;
  return (found.dwFileAttributes & kKinds) == FILE_ATTRIBUTE_DIRECTORY;
}

/// Everything below the directory: what is inherited goes that far. An owner keeps the right to
/// change rights, whatever the directory's are.
DWORD CheckEntriesOf(const std::wstring& directory, const ProcessUser& user) {
  WIN32_FIND_DATAW found;
  HANDLE search = FindFirstFileW((directory + L"\\*").c_str(), &found);
  if (search == INVALID_HANDLE_VALUE) return GetLastError();
  DWORD error = ERROR_SUCCESS;
  do {
    const std::wstring name = found.cFileName;
    if (name == L"." || name == L"..") continue;
    const std::wstring path = directory + L"\\" + name;
    error = CheckEntry(path, user);
    if (error == ERROR_SUCCESS && IsPlainDirectory(found)) error = CheckEntriesOf(path, user);
    // Retention, or the service, deleted it meanwhile.
    if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) error = ERROR_SUCCESS;
  } while (error == ERROR_SUCCESS && FindNextFileW(search, &found));
  FindClose(search);
  return error;
}

/// Owner and access list as SDDL; empty when they cannot be read.
std::wstring RightsOf(PSECURITY_DESCRIPTOR descriptor) {
  wchar_t* text = nullptr;
  if (!ConvertSecurityDescriptorToStringSecurityDescriptorW(
          descriptor, SDDL_REVISION_1, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
          &text, nullptr)) {
    return L"";
  }
  const LocalMemory memory(text);
  return text;
}

/// Gives the directory that exists these rights, unless it may be another account's trap:
/// anyone may create a directory below %ProgramData% before we do.
DWORD TakeOver(const std::wstring& path, PSECURITY_DESCRIPTOR descriptor) {
  const Opened directory(path, READ_CONTROL | WRITE_DAC | WRITE_OWNER | FILE_READ_ATTRIBUTES);
  if (directory.error() != ERROR_SUCCESS) return directory.error();
  BY_HANDLE_FILE_INFORMATION information;
  if (!GetFileInformationByHandle(directory.get(), &information)) return GetLastError();
  // By name too: Wine shows a link only there.
  if ((information.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 || IsReparsePoint(path)) {
    return kReparsePointEncountered;
  }
  if ((information.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0) return ERROR_DIRECTORY;
  const ProcessUser user;
  Security security;
  DWORD error = ReadSecurity(directory.get(), &security);
  if (error == ERROR_SUCCESS) error = CheckOwner(security, user);
  // Before: setting rights hands what is inherited on to everything below the directory, which in
  // `state` the service controls.
  if (error == ERROR_SUCCESS) error = CheckEntriesOf(path, user);
  if (error != ERROR_SUCCESS) return error;
  const std::wstring present = RightsOf(security.memory.get());
  if (!present.empty() && present == RightsOf(descriptor)) return ERROR_SUCCESS;
  error = ApplyRights(directory.get(), descriptor);
  // And after, when no other account can create one.
  return error == ERROR_SUCCESS ? CheckEntriesOf(path, user) : error;
}

/// Empty when no part of the path is a reparse point.
std::wstring ReparsePointIn(const std::wstring& path) {
  for (size_t end = path.find(L'\\', 3);; end = path.find(L'\\', end + 1)) {
    const std::wstring component = path.substr(0, end);
    if (IsReparsePoint(component)) return component;
    if (end == path.npos) return L"";
  }
}

}  // namespace

/// Only the form that Windows itself would give, so that no component can hide from the checks.
bool IsLocalFullPath(const std::wstring& path) {
  if (path.size() <= 3 || path[1] != L':' || path[2] != L'\\') return false;
  std::wstring full(path.size() + 1, L'\0');
  const DWORD size =
      GetFullPathNameW(path.c_str(), static_cast<DWORD>(full.size()), full.data(), nullptr);
  if (size != path.size() || full.compare(0, size, path) != 0) return false;
  return GetDriveTypeW(path.substr(0, 3).c_str()) != DRIVE_REMOTE;
}

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
  return error == ERROR_ALREADY_EXISTS ? TakeOver(path, descriptor) : error;
}

std::wstring DistrustReason(const std::wstring& directory, Viewer viewer) {
  if (!IsLocalFullPath(directory)) return L"it is not a full path on a local drive";
  const DWORD attributes = GetFileAttributesW(directory.c_str());
  if (attributes == INVALID_FILE_ATTRIBUTES) return ErrorText(L"it cannot be read", GetLastError());
  if ((attributes & FILE_ATTRIBUTE_DIRECTORY) == 0) return L"it is not a directory";
  const std::wstring link = ReparsePointIn(directory);
  if (!link.empty()) return link + L" is a reparse point (a link)";
  Security security;
  Security parent;
  DWORD error = ReadSecurity(directory, &security);
  if (error == ERROR_SUCCESS) error = ReadSecurity(ParentOf(directory), &parent);
  if (error != ERROR_SUCCESS) return ErrorText(L"its owner cannot be read", error);
  const ProcessUser user = viewer == Viewer::kSelf ? ProcessUser() : ProcessUser::Nobody();
  if (!IsTrusted(security.owner, user)) {
    return L"its owner is neither SYSTEM nor the Administrators group";
  }
  if (!IsGuarded(security, kJournalGuard, user)) {
    return L"its permissions let other accounts write to it";
  }
  if (!IsTrusted(parent.owner, user) || !IsGuarded(parent, kParentGuard, user)) {
    return L"the parent directory's permissions let other accounts replace it";
  }
  return L"";
}

bool IsReadableByOthers(const std::wstring& directory) {
  Security security;
  return ReadSecurity(directory, &security) == ERROR_SUCCESS &&
         !IsGuarded(security, kReadGuard, ProcessUser());
}

bool IsWritableByOthers(const std::wstring& file) {
  const ProcessUser nobody = ProcessUser::Nobody();
  const std::wstring target = FinalPath(file);
  if (target.empty()) return true;
  for (const std::wstring& path : {file, ParentOf(file), target, ParentOf(target)}) {
    Security security;
    if (ReadSecurity(path, &security) != ERROR_SUCCESS) return true;
    if (!IsTrusted(security.owner, nobody) || !IsGuarded(security, kFileGuard, nobody)) return true;
  }
  return false;
}

}  // namespace exit_module
