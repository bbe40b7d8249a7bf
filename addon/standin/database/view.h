#ifndef CERTWIRE_STANDIN_DATABASE_VIEW_H_
#define CERTWIRE_STANDIN_DATABASE_VIEW_H_

#include <windows.h>
// The interface headers need the one above.
#include <ole2.h>

namespace standin {

class Database;

/// A new CCertView, CCertAdmin and CCertRequest, each with one reference.
IUnknown* MakeCertView(Database& database);
IUnknown* MakeCertAdmin(Database& database);
IUnknown* MakeCertRequest(Database& database);

}  // namespace standin

#endif  // CERTWIRE_STANDIN_DATABASE_VIEW_H_
