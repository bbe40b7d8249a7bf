#ifndef CERTWIRE_CORE_EPOCH_LINKS_H_
#define CERTWIRE_CORE_EPOCH_LINKS_H_

#include <optional>

#include "catalog.h"

namespace journal {

/// The epoch that was the newest when epoch `of` of the catalog began, as its first frame says.
Status ReadPrevious(FileSystem* files, const Catalog& catalog, const EpochKey& of,
                    EpochKey* previous, bool* known);

/// The epoch that a writer is in, or was in last, even if there are higher ones: segments may
/// have been copied into the directory of a running CA. None when nothing names it, or when the
/// epoch after the named one follows it: then its writer has failed to write its own name.
std::optional<EpochKey> FindWriter(FileSystem* files, const Catalog& catalog);

}  // namespace journal

#endif  // CERTWIRE_CORE_EPOCH_LINKS_H_
