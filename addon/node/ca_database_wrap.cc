#include "ca_database_wrap.h"

#include <string>
#include <utility>
#include <vector>

#include "ca_database/ca_facts.h"
#include "ca_database/crls.h"
#include "ca_database/row_page.h"
#include "own_thread_promise.h"

namespace binding {
namespace {

std::wstring Wide(const Napi::Value& value) {
  const std::u16string text = value.ToString().Utf16Value();
  return {text.begin(), text.end()};
}

Napi::String Text(Napi::Env env, const std::wstring& text) {
  return Napi::String::New(env, std::u16string(text.begin(), text.end()));
}

/// An error with the HRESULT as `hresult`, unsigned, and the method that returned it as `call`.
Napi::Value ToError(Napi::Env env, const ca_database::Failure& failure) {
  const auto hresult = static_cast<uint32_t>(failure.result);
  Napi::Error error = Napi::Error::New(env, std::string(failure.call) + " failed");
  error.Set("hresult", Napi::Number::New(env, hresult));
  error.Set("call", Napi::String::New(env, failure.call));
  return error.Value();
}

Napi::Buffer<uint8_t> Bytes(Napi::Env env, const std::vector<uint8_t>& bytes) {
  return Napi::Buffer<uint8_t>::Copy(env, bytes.data(), bytes.size());
}

struct FactsTask {
  std::wstring config;
  ca_database::CaFacts facts;
  ca_database::Failure failure;

  void Work() { failure = ca_database::ReadCaFacts(config, &facts); }

  void Settle(Napi::Env env, const Napi::Promise::Deferred& deferred) const {
    if (!failure.ok()) return deferred.Reject(ToError(env, failure));
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", Text(env, facts.name));
    object.Set("sanitizedName", Text(env, facts.sanitized_name));
    object.Set("dnsName", Text(env, facts.dns_name));
    object.Set("type", Napi::Number::New(env, facts.type));
    object.Set("roles", Napi::Number::New(env, facts.roles));
    Napi::Array certificates = Napi::Array::New(env, facts.certificates.size());
    for (uint32_t i = 0; i < facts.certificates.size(); i++) {
      const auto& der = facts.certificates[i];
      certificates.Set(i, Napi::Buffer<uint8_t>::Copy(env, der.data(), der.size()));
    }
    object.Set("certificates", certificates);
    deferred.Resolve(object);
  }
};

struct RowsTask {
  ca_database::PageRequest request;
  ca_database::RowPage page;
  ca_database::Failure failure;

  void Work() { failure = ca_database::ReadRowPage(request, &page); }

  void Settle(Napi::Env env, const Napi::Promise::Deferred& deferred) const {
    if (!failure.ok()) return deferred.Reject(ToError(env, failure));
    Napi::Object object = Napi::Object::New(env);
    object.Set("records", Bytes(env, page.records));
    Napi::Array rows = Napi::Array::New(env, page.rows.size());
    for (uint32_t i = 0; i < page.rows.size(); i++) {
      const auto& row = page.rows[i];
      Napi::Array entry = Napi::Array::New(env, 3);
      entry.Set(0u, static_cast<double>(row.id));
      entry.Set(1u, static_cast<double>(row.offset));
      entry.Set(2u, static_cast<double>(row.size));
      rows.Set(i, entry);
    }
    object.Set("rows", rows);
    object.Set("isEnd", Napi::Boolean::New(env, page.is_end));
    Napi::Array lacking = Napi::Array::New(env, page.lacking.size());
    for (uint32_t i = 0; i < page.lacking.size(); i++) lacking.Set(i, Text(env, page.lacking[i]));
    object.Set("lackingColumns", lacking);
    object.Set("viewMs", static_cast<double>(page.view_ms));
    deferred.Resolve(object);
  }
};

struct CrlsTask {
  ca_database::CrlPageRequest request;
  ca_database::CrlPage page;
  ca_database::Failure failure;

  void Work() { failure = ca_database::ReadCrlPage(request, &page); }

  void Settle(Napi::Env env, const Napi::Promise::Deferred& deferred) const {
    if (!failure.ok()) return deferred.Reject(ToError(env, failure));
    Napi::Object object = Napi::Object::New(env);
    object.Set("records", Bytes(env, page.records));
    Napi::Array rows = Napi::Array::New(env, page.rows.size());
    for (uint32_t i = 0; i < page.rows.size(); i++) {
      const auto& row = page.rows[i];
      Napi::Object entry = Napi::Object::New(env);
      entry.Set("id", row.id);
      entry.Set("offset", static_cast<double>(row.offset));
      entry.Set("size", static_cast<double>(row.size));
      if (row.published.has_value()) entry.Set("published", *row.published);
      rows.Set(i, entry);
    }
    object.Set("rows", rows);
    object.Set("isEnd", Napi::Boolean::New(env, page.is_end));
    object.Set("viewMs", static_cast<double>(page.view_ms));
    deferred.Resolve(object);
  }
};

struct CrlPartitionsTask {
  std::wstring config;
  ca_database::CrlPartitions partitions;
  ca_database::Failure failure;

  void Work() { failure = ca_database::ReadCrlPartitions(config, &partitions); }

  void Settle(Napi::Env env, const Napi::Promise::Deferred& deferred) const {
    if (!failure.ok()) return deferred.Reject(ToError(env, failure));
    Napi::Object object = Napi::Object::New(env);
    object.Set("count", partitions.count);
    Napi::Array certificates = Napi::Array::New(env, partitions.certificates.size());
    for (uint32_t i = 0; i < partitions.certificates.size(); i++) {
      certificates.Set(i, partitions.certificates[i]);
    }
    object.Set("certificates", certificates);
    deferred.Resolve(object);
  }
};

struct PartitionedCrlTask {
  std::wstring config;
  ca_database::PartitionedCrl which;
  std::vector<uint8_t> record;
  ca_database::Failure failure;

  void Work() { failure = ca_database::ReadPartitionedCrl(config, which, &record); }

  void Settle(Napi::Env env, const Napi::Promise::Deferred& deferred) const {
    if (!failure.ok()) return deferred.Reject(ToError(env, failure));
    deferred.Resolve(Bytes(env, record));
  }
};

collect::SecretNames SecretsIn(const Napi::Value& value) {
  std::vector<std::u16string> names;
  if (value.IsArray()) {
    const auto array = value.As<Napi::Array>();
    for (uint32_t i = 0; i < array.Length(); i++) {
      names.push_back(array.Get(i).ToString().Utf16Value());
    }
  }
  return collect::SecretNames(names);
}

ca_database::Scan ScanIn(const Napi::Value& value) {
  const std::string name = value.ToString().Utf8Value();
  if (name == "one") return ca_database::Scan::kOne;
  if (name == "newest") return ca_database::Scan::kNewest;
  if (name == "submitted") return ca_database::Scan::kSubmitted;
  if (name == "resolved") return ca_database::Scan::kResolved;
  return name == "revoked" ? ca_database::Scan::kRevoked : ca_database::Scan::kNew;
}

Napi::Value ReadCa(const Napi::CallbackInfo& info) {
  return OwnThreadPromise<FactsTask>::Start(info.Env(), {Wide(info[0]), {}, {}});
}

Napi::Value ReadCaRows(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  RowsTask task;
  task.request.config = Wide(options.Get("config"));
  task.request.columns = options.Get("columns").ToString().Utf8Value() == "whole"
                             ? ca_database::ColumnSet::kWhole
                             : ca_database::ColumnSet::kScan;
  task.request.scan = ScanIn(options.Get("scan"));
  task.request.from = options.Get("from").ToNumber().Int32Value();
  task.request.to = options.Get("to").ToNumber().Int32Value();
  task.request.since = options.Get("since").ToNumber().DoubleValue();
  task.request.max_rows = options.Get("maxRows").ToNumber().Uint32Value();
  task.request.max_view_ms = options.Get("maxViewMs").ToNumber().Uint32Value();
  task.request.secrets = SecretsIn(options.Get("secretAttributes"));
  return OwnThreadPromise<RowsTask>::Start(info.Env(), std::move(task));
}

Napi::Value ReadCaCrls(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  CrlsTask task;
  task.request.config = Wide(options.Get("config"));
  task.request.after = options.Get("after").ToNumber().Int32Value();
  task.request.max_rows = options.Get("maxRows").ToNumber().Uint32Value();
  task.request.max_view_ms = options.Get("maxViewMs").ToNumber().Uint32Value();
  return OwnThreadPromise<CrlsTask>::Start(info.Env(), std::move(task));
}

Napi::Value ReadCaCrlPartitions(const Napi::CallbackInfo& info) {
  return OwnThreadPromise<CrlPartitionsTask>::Start(info.Env(), {Wide(info[0]), {}, {}});
}

Napi::Value ReadCaPartitionedCrl(const Napi::CallbackInfo& info) {
  const auto options = info[1].As<Napi::Object>();
  ca_database::PartitionedCrl which;
  which.certificate = options.Get("certificate").ToNumber().Int32Value();
  which.partition = options.Get("partition").ToNumber().Int32Value();
  which.delta = options.Get("kind").ToString().Utf8Value() == "delta";
  return OwnThreadPromise<PartitionedCrlTask>::Start(info.Env(), {Wide(info[0]), which, {}, {}});
}

}  // namespace

Napi::Object DefineCaDatabase(Napi::Env env) {
  Napi::Object database = Napi::Object::New(env);
  database.Set("readFacts", Napi::Function::New(env, ReadCa, "readFacts"));
  database.Set("readRows", Napi::Function::New(env, ReadCaRows, "readRows"));
  database.Set("readCrls", Napi::Function::New(env, ReadCaCrls, "readCrls"));
  database.Set("readCrlPartitions",
               Napi::Function::New(env, ReadCaCrlPartitions, "readCrlPartitions"));
  database.Set("readPartitionedCrl",
               Napi::Function::New(env, ReadCaPartitionedCrl, "readPartitionedCrl"));
  return database;
}

}  // namespace binding
