#ifndef CERTWIRE_EXIT_MODULE_ACCESS_H_
#define CERTWIRE_EXIT_MODULE_ACCESS_H_

#include <windows.h>

#include <string>

namespace exit_module {

/// Rights of the directories below %ProgramData%\Certwire, as SDDL with owner.
extern const wchar_t kBaseRights[];
extern const wchar_t kJournalRights[];
extern const wchar_t kStateRights[];
extern const wchar_t kConfigRights[];

/// ERROR_REPARSE_POINT_ENCOUNTERED, which the headers of mingw-w64 lack.
inline constexpr DWORD kReparsePointEncountered = 4395;

/// Makes the directory with exactly these rights. One that exists gets them and the owner, unless
/// it or something below it is a reparse point (kReparsePointEncountered), belongs to an account
/// other than administrators, the system and the service (ERROR_INVALID_OWNER), or is a file with
/// several names (ERROR_TOO_MANY_LINKS): what is inherited would reach it. One that has them stays
/// as it is.
DWORD SecureDirectory(const std::wstring& path, const wchar_t* rights);

/// True for a full path on a local drive, spelled as Windows spells it. Looks at nothing but the
/// text and the kind of the drive.
bool IsLocalFullPath(const std::wstring& path);

/// True when an account other than administrators, the system and the service may read what is in
/// the directory. Unreadable rights count as false: DistrustReason reports them.
bool IsReadableByOthers(const std::wstring& directory);

/// As whom a directory is judged: the account of this process, which may own it, or the system.
enum class Viewer { kSelf, kSystem };

/// Empty when the directory can be trusted: a full local path without reparse points, owned by the
/// system, by administrators or by the viewer, and no other account may write to it or replace it;
/// the service may delete. Otherwise what is wrong, in words.
std::wstring DistrustReason(const std::wstring& directory, Viewer viewer = Viewer::kSelf);

/// True when an account other than administrators and the system may change the file or replace it,
/// by its own path or by where links in that lead to. The account of this process is another one:
/// its programs run without an administrator's rights too. Unreadable rights count as true.
bool IsWritableByOthers(const std::wstring& file);

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_ACCESS_H_
