#ifndef CERTWIRE_STANDIN_GUIDS_H_
#define CERTWIRE_STANDIN_GUIDS_H_

#include <windows.h>
// The interface headers need the two above them.
#include <certexit.h>
#include <certif.h>
#include <certmod.h>
#include <certsrv.h>
#include <ole2.h>

/// Class of the object through which an exit module asks the certification authority.
extern const CLSID kClsidCertServerExit;

#endif  // CERTWIRE_STANDIN_GUIDS_H_
