#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <objbase.h>

int main(int count, char** arguments) {
  CoInitializeEx(nullptr, COINIT_MULTITHREADED);
  doctest::Context context(count, arguments);
  return context.run();
}
