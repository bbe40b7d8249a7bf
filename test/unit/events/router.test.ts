import assert from "node:assert/strict";
import { test } from "node:test";
import type { Destinations, PlaceholderValues } from "../../../src/events/destination.ts";
import type { CertwireEvent, EventKind } from "../../../src/events/event.ts";
import type { EventCondition } from "../../../src/events/event-filter.ts";
import { Redactor } from "../../../src/events/redaction/redactor.ts";
import { Router } from "../../../src/events/router.ts";
import { sampleEvent } from "../../support/sample-events.ts";

/** Destinations whose topics show the route and all values. */
function destinations(routes: number): Destinations {
  const fill = (route: string) => (values: PlaceholderValues) => ({
    topic: [route, values.kind, values.template ?? "-", values.ca ?? "-"].join("|"),
  });
  const numbers = Array.from({ length: routes }, (_, index) => fill(String(index)));
  return { fallback: fill("default"), routes: numbers, usesTemplateOrCa: true };
}

function eventOf(kind: EventKind, data: object): CertwireEvent {
  return { ...sampleEvent(1), type: `io.certwire.${kind}.v1`, data: { ...data } };
}

function topicOf(conditions: readonly EventCondition[], event: CertwireEvent, shown = event) {
  return new Router(conditions, destinations(conditions.length)).destinationOf(event, shown).topic;
}

const ca = { name: "Corp CA", id: "ab" };
const issued = eventOf("certificate.issued", {
  ca,
  request: { requesterName: "CORP\\svc-web" },
  certificate: { template: { name: "WebServer" } },
});

test("the first route that fits wins, and an event that none fits goes to the default", () => {
  const web = { template: ["webserver"] };
  const service = { requester: ["CORP\\svc-*"] };
  assert.equal(topicOf([web, service], issued), "0|certificate.issued|WebServer|Corp CA");
  assert.equal(topicOf([service, web], issued), "0|certificate.issued|WebServer|Corp CA");
  assert.equal(topicOf([{ kind: ["crl.*"] }, { ca: ["corp*"] }], issued)?.[0], "1");
  const both = { ...web, requester: ["CORP\\bob"] };
  assert.match(topicOf([both], issued) ?? "", /^default\|/);
});

test("losses and what the CA does go where the routes say, like any other event", () => {
  const gap = eventOf("journal.gap", { ca });
  assert.match(topicOf([{ kind: ["certificate.*"] }, { kind: ["*"] }], gap) ?? "", /^1\|/);
});

test("a value that is missing fits no route", () => {
  const problems = [{ property: "request.requesterName", reason: "unreadable" }];
  const unread = eventOf("certificate.issued", { ca, request: {}, problems });
  assert.match(topicOf([{ requester: ["*"] }], unread) ?? "", /^default\|certificate.issued\|-/);
});

test("what only the requester claims names no destination", () => {
  const data = {
    ca,
    requested: { template: { name: "Claimed" } },
    attributes: [{ name: "CertificateTemplate", value: "Claimed" }],
  };
  const row = { certificateProperties: { certificateTemplate: "Claimed" } };
  assert.equal(topicOf([], eventOf("request.pending", data)), "default|request.pending|-|Corp CA");
  for (const kind of ["request.denied", "request.failed", "ca.unrecognized"] as const) {
    const denied = eventOf(kind, { ...data, ...row });
    assert.equal(topicOf([], denied), `default|${kind}|-|Corp CA`);
    assert.match(topicOf([{ template: ["Claimed"] }], denied) ?? "", /^0\|/, "a route may fit");
  }
  const pending = eventOf("request.pending", row);
  assert.equal(topicOf([], pending), "default|request.pending|Claimed|-");
});

test("routes compare the event as it was, names show it as the sink does", () => {
  const redactor = new Redactor({ remove: ["certificate.template", "ca.name"], hash: [], key: "" });
  const shown = redactor.redact(issued);
  const topic = topicOf([{ template: ["WebServer"], ca: ["Corp CA"] }], issued, shown);
  assert.equal(topic, "0|certificate.issued|-|ab");
});

test("a CA without a name is named by its id", () => {
  assert.equal(topicOf([], eventOf("ca.started", { ca: { id: "ab" } })), "default|ca.started|-|ab");
});

test("a requester whose name is that of the CA or of a template goes where everybody goes", () => {
  const redactor = new Redactor({ remove: ["certificate.subject"], hash: [], key: "" });
  const topic = (
    commonName: string,
    kind: EventKind = "certificate.issued",
  ): string | undefined => {
    const subject = { distinguishedName: `CN=${commonName}`, commonName: [commonName] };
    const data = { ca, requested: { subject }, problems: [] };
    const certificate = { subject, template: { name: "WebServer" } };
    const event = eventOf(kind, kind === "certificate.issued" ? { ...data, certificate } : data);
    return topicOf([], event, redactor.redact(event));
  };
  for (const name of ["Corp CA", "corp ca", "WebServer"]) {
    assert.equal(topic(name), topic("alice"), name);
    assert.equal(topic(name, "request.denied"), topic("alice", "request.denied"), name);
  }
  assert.match(topic("alice") ?? "", /\|WebServer\|Corp CA$/);
});
