// The fake CCertServerExit itself: both ways of calling it, and what it notices.
#include "server_exit.h"

#include <doctest/doctest.h>

#include <array>
#include <span>
#include <string>
#include <thread>

#include "exit_client.h"

namespace standin {
namespace {

Value Long(LONG number) {
  Value value;
  value.kind = ValueKind::kLong;
  value.number = number;
  return value;
}

Value Bytes(ValueKind kind, std::string bytes) {
  Value value;
  value.kind = kind;
  value.bytes = std::make_shared<const std::string>(std::move(bytes));
  return value;
}

Scenario MakeScenario() {
  Scenario scenario;
  scenario.ca.emplace(L"CAType", Long(1));
  Step step;
  step.event = 1;
  step.context = 42;
  step.request.emplace(L"RequestID", Long(17));
  step.certificate.emplace(L"RawCertificate",
                           Bytes(ValueKind::kBinary, std::string("\x30\0\x07", 3)));
  step.attributes.push_back({L"ccm", Bytes(ValueKind::kText, std::string("h\0o\0", 4))});
  step.extensions.push_back({L"2.5.29.15", 0x20001, Bytes(ValueKind::kBinary, "\x03")});
  scenario.steps.push_back(std::move(step));
  return scenario;
}

/// Inside a call of the first step, with an object made for it through COM.
struct Inside {
  Scenario scenario = MakeScenario();
  Tally tally;
  CallScope scope{scenario, scenario.steps[0], &tally};
  ComRef<ICertServerExit> server;

  Inside() {
    REQUIRE(CoCreateInstance(kClsidCertServerExit, nullptr, CLSCTX_INPROC_SERVER,
                             IID_ICertServerExit, server.ReceiveVoid()) == S_OK);
  }
};

VARIANT Text(const wchar_t* text) {
  VARIANT value;
  VariantInit(&value);
  V_VT(&value) = VT_BSTR;
  V_BSTR(&value) = SysAllocString(text);
  return value;
}

VARIANT Number(LONG number) {
  VARIANT value;
  VariantInit(&value);
  V_VT(&value) = VT_I4;
  V_I4(&value) = number;
  return value;
}

/// A late-bound call; `arguments` last first.
HRESULT Invoke(ICertServerExit* server, const wchar_t* method, std::span<VARIANT> arguments,
               VARIANT* result) {
  auto* name = const_cast<LPOLESTR>(method);
  DISPID id = 0;
  REQUIRE(server->GetIDsOfNames(IID_NULL, &name, 1, 0, &id) == S_OK);
  DISPPARAMS parameters = {arguments.data(), nullptr, static_cast<UINT>(arguments.size()), 0};
  return server->Invoke(id, IID_NULL, 0, DISPATCH_METHOD, &parameters, result, nullptr, nullptr);
}

std::string BytesOf(const VARIANT& value) {
  return {reinterpret_cast<const char*>(V_BSTR(&value)), SysStringByteLen(V_BSTR(&value))};
}

TEST_CASE_FIXTURE(Inside, "the vtable serves the row once its context is set") {
  VARIANT value;
  VariantInit(&value);
  const BSTR name = SysAllocString(L"RequestID");
  CHECK(server->GetRequestProperty(name, PROPTYPE_LONG, &value) == CERTSRV_E_PROPERTY_EMPTY);
  CHECK(server->SetContext(41) == E_INVALIDARG);
  CHECK(server->SetContext(42) == S_OK);
  CHECK(server->GetRequestProperty(name, PROPTYPE_LONG, &value) == S_OK);
  CHECK(V_VT(&value) == VT_I4);
  CHECK(V_I4(&value) == 17);
  CHECK(server->GetRequestProperty(name, PROPTYPE_STRING, &value) == E_INVALIDARG);
  SysFreeString(name);
  CHECK(tally.violations().size() == 2);
}

TEST_CASE_FIXTURE(Inside, "IDispatch serves the same as the vtable") {
  VARIANT result;
  std::array<VARIANT, 1> context = {Number(42)};
  CHECK(Invoke(server.get(), L"SetContext", context, &result) == S_OK);
  std::array<VARIANT, 2> property = {Number(PROPTYPE_BINARY), Text(L"RawCertificate")};
  CHECK(Invoke(server.get(), L"GetCertificateProperty", property, &result) == S_OK);
  CHECK(BytesOf(result) == std::string("\x30\0\x07", 3));
  std::array<VARIANT, 2> of_ca = {Number(PROPTYPE_LONG), Text(L"CAType")};
  CHECK(Invoke(server.get(), L"GetCertificateProperty", of_ca, &result) == S_OK);
  CHECK(V_I4(&result) == 1);
  std::array<VARIANT, 1> attribute = {Text(L"ccm")};
  CHECK(Invoke(server.get(), L"GetRequestAttribute", attribute, &result) == S_OK);
  CHECK(BytesOf(result) == std::string("h\0o\0", 4));
  CHECK(tally.violations().empty());
}

TEST_CASE_FIXTURE(Inside, "an enumeration gives every name, then S_FALSE, both ways") {
  REQUIRE(server->SetContext(42) == S_OK);
  BSTR name = nullptr;
  CHECK(server->EnumerateExtensions(&name) == E_UNEXPECTED);
  CHECK(server->EnumerateExtensionsSetup(0) == S_OK);
  CHECK(server->EnumerateExtensions(&name) == S_OK);
  CHECK(std::wstring(name) == L"2.5.29.15");
  SysFreeString(name);
  CHECK(server->EnumerateExtensions(&name) == S_FALSE);
  CHECK(server->EnumerateExtensionsClose() == S_OK);

  VARIANT result;
  std::array<VARIANT, 1> flags = {Number(0)};
  CHECK(Invoke(server.get(), L"EnumerateAttributesSetup", flags, &result) == S_OK);
  CHECK(Invoke(server.get(), L"EnumerateAttributes", {}, &result) == S_OK);
  CHECK(std::wstring(V_BSTR(&result)) == L"ccm");
  CHECK(Invoke(server.get(), L"EnumerateAttributes", {}, &result) == S_FALSE);
  CHECK(Invoke(server.get(), L"EnumerateAttributesClose", {}, &result) == S_OK);
}

TEST_CASE_FIXTURE(Inside, "the flags are those of the extension read last") {
  REQUIRE(server->SetContext(42) == S_OK);
  VARIANT result;
  std::array<VARIANT, 2> extension = {Number(PROPTYPE_BINARY), Text(L"2.5.29.15")};
  CHECK(Invoke(server.get(), L"GetCertificateExtension", extension, &result) == S_OK);
  CHECK(BytesOf(result) == "\x03");
  CHECK(Invoke(server.get(), L"GetCertificateExtensionFlags", {}, &result) == S_OK);
  CHECK(V_I4(&result) == 0x20001);
}

TEST_CASE_FIXTURE(Inside, "a use from another thread fails and is noted") {
  std::thread([&] { CHECK(server->SetContext(42) == E_UNEXPECTED); }).join();
  CHECK(tally.violations().contains(L"SetContext from another thread"));
}

TEST_CASE("a use after the call is noted, and so is an object that outlives it") {
  const Scenario scenario = MakeScenario();
  Tally tally;
  ComRef<ICertServerExit> kept;
  {
    const CallScope scope(scenario, scenario.steps[0], &tally);
    REQUIRE(CoCreateInstance(kClsidCertServerExit, nullptr, CLSCTX_INPROC_SERVER,
                             IID_ICertServerExit, kept.ReceiveVoid()) == S_OK);
  }
  CHECK(kept->SetContext(42) == E_UNEXPECTED);
  CHECK(tally.violations().contains(L"SetContext after the call had returned"));
  CHECK(tally.objects_live() == 1);
  kept.Reset();
  CHECK(tally.objects_live() == 0);
}

}  // namespace
}  // namespace standin
