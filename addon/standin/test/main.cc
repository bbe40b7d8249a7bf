#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "server_exit.h"

int main(int count, char** arguments) {
  CoInitializeEx(nullptr, COINIT_MULTITHREADED);
  DWORD registration = 0;
  CoRegisterClassObject(kClsidCertServerExit, standin::ServerExitFactory(), CLSCTX_INPROC_SERVER,
                        REGCLS_MULTIPLEUSE, &registration);
  doctest::Context context(count, arguments);
  return context.run();
}
