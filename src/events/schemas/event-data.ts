import { z } from "zod";
import type { EventKind } from "../event.ts";
import { findingClasses, findingStates } from "../finding-event.ts";
import {
  caCertificateProperties,
  caProperties,
  certificateProperties,
  requestProperties,
  revocationProperties,
} from "../properties.ts";
import { certificate } from "./certificate-schema.ts";
import { crl, currentCrl } from "./crl-schema.ts";
import { shownIn } from "./detail.ts";
import { propertyGroup } from "./property-table.ts";
import { requested } from "./requested-schema.ts";
import {
  binary,
  dateTime,
  decimal,
  digest,
  digestShape,
  integer,
  sha256,
  text,
  typedTextShape,
} from "./values.ts";

const problem = z
  .object({
    property: z.string().describe("Property of the CA (`request.StatusCode`) or path in `data`."),
    reason: z.string().describe("A word; docs/reference/events.md lists them."),
    hresult: z.string().optional(),
    symbol: z.string().optional(),
    detail: z.string().optional(),
    utf16: binary.optional().describe("The bytes of a replaced text of the CA, UTF-16LE."),
    octets: binary
      .optional()
      .describe("The octets of a replaced text in a certificate, request or CRL."),
    type: typedTextShape.type.optional().describe("What `value` is."),
    value: typedTextShape.value,
    length: digestShape.length.optional(),
    sha256: digestShape.sha256,
    first: binary.optional().describe("First bytes of a value that the exit module cut."),
    last: binary.optional().describe("Last bytes of a value that the exit module cut."),
  })
  .meta({ id: "Problem", description: "Something the event does not show, or shows differently." });

const notify = z
  .object({
    event: z.int().describe("The EXITEVENT_* bit."),
    context: z.int().describe("Context number of Notify."),
    processId: z.int().optional().meta(shownIn("start")),
    threadId: z.int(),
  })
  .meta({ id: "Notify", description: "The CA's call of the exit module." });

const certificateSha256 = sha256
  .optional()
  .describe("SHA-256 of the certificate whose DER is in `rawCaCertificate`.");

const ca = propertyGroup(caProperties)
  .extend({
    certificateSha256,
    id: z
      .string()
      .describe(
        "SHA-256 of the CA's public key; `name-` and a hash, or `unknown`, while the key is not known.",
      ),
    certificates: z
      .array(propertyGroup(caCertificateProperties).extend({ index: z.int(), certificateSha256 }))
      .optional()
      .describe("Properties of each of the CA's certificates."),
  })
  .meta({ id: "Ca" });

const request = propertyGroup(requestProperties).extend({
  rawRequest: digest
    .extend({
      der: binary
        .optional()
        .describe("The request, its secrets overwritten; only with `includeRawRequest`."),
    })
    .optional()
    .meta({ id: "RawRequest", description: "Length and hash of the request as it was submitted." }),
});

const attribute = z
  .object({
    name: z.string(),
    value: text.optional(),
    redacted: z
      .literal(true)
      .optional()
      .describe("True if the value is a secret; it is not published."),
  })
  .meta({ id: "Attribute" });

const extension = z
  .object({
    oid: z.string(),
    origin: z.string().describe("Who set it."),
    name: z.string().optional().meta(shownIn("difference")),
    critical: z.boolean().optional().meta(shownIn("difference")),
    disabled: z
      .boolean()
      .optional()
      .describe("True for an extension that is not in the certificate.")
      .meta(shownIn("difference")),
    flags: z.int().optional().meta(shownIn("difference")),
    der: binary.optional().meta(shownIn("difference")),
  })
  .meta({ id: "Extension" });

const unknownProperty = z
  .object({
    name: z.string().describe("Group and name, such as `request.SomeName`."),
    ...typedTextShape,
  })
  .meta({ id: "UnknownProperty" });

const common = {
  notify: notify.optional().describe("Absent on an event from the CA's database."),
  ca,
  unknownProperties: z
    .array(unknownProperty)
    .optional()
    .describe("Properties of the CA that this version of Certwire does not know."),
  problems: z.array(problem),
};

const aboutRequest = z.object({
  ...common,
  request: request.optional().describe("The row of the request."),
  requested: requested.optional(),
  certificate: certificate.optional(),
  certificateProperties: propertyGroup(certificateProperties)
    .optional()
    .describe("The row of the certificate; for a pending request, what the CA plans to issue."),
  revocation: propertyGroup(revocationProperties).optional(),
  attributes: z.array(attribute).optional(),
  extensions: z.array(extension).optional(),
  crls: z.array(crl).optional().describe("CRLs recorded with an unrecognized event."),
});

const aboutCrl = z.object({
  ...common,
  crl: crl.optional(),
  current: z.array(currentCrl).optional().describe("The CA's other CRLs at that time."),
});

const aboutChange = z.object({
  ...common,
  previous: z
    .object({ id: z.string().describe("Id of the CA then."), certificateSha256: sha256 })
    .describe("What was seen last."),
});

const gap = z.object({
  ca: z.object({ id: z.string() }),
  reason: z.string(),
  count: decimal.optional().describe("Number of lost events; absent if it is not known."),
  firstSequence: decimal.optional(),
  lastSequence: decimal.optional(),
  firstTime: dateTime.optional(),
  lastTime: dateTime.optional(),
  requestIds: z.array(integer).optional().describe("Request IDs of up to 64 lost events."),
  problems: z.array(problem),
});

const finding = z.object({
  ca: z.object({ id: z.string(), name: z.string() }),
  state: z
    .enum(findingStates)
    .describe(
      "`open` when it was found, `resolved` when a later comparison did not find it any more.",
    ),
  class: z.enum(findingClasses).describe("What differs; docs/reference/events.md lists them."),
  request: z.object({ requestId: integer }).optional().describe("Absent if it is about a CRL."),
  missing: z.array(z.string()).describe("Kinds of the events that the journal lacks."),
  happenedTime: dateTime.optional().describe("When the last of it happened."),
  foundTime: dateTime.describe("When the comparison ended that found it."),
  detail: z.string().optional().describe("What differs, for people."),
  problems: z.array(problem),
});

/** The schema of `data` for each kind of event; JSON Schemas, AsyncAPI and types are made from it. */
export const eventData = {
  "certificate.issued": aboutRequest.describe("The CA issued a certificate."),
  "certificate.revoked": aboutRequest.describe(
    "A certificate was revoked, or its revocation changed (disposition 21).",
  ),
  "certificate.unrevoked": aboutRequest.describe(
    "A certificate was released from hold (disposition 20 with reason -1).",
  ),
  "certificate.imported": aboutRequest.describe("A certificate was imported into the CA database."),
  "request.pending": aboutRequest.describe("A request is waiting for a CA manager."),
  "request.denied": aboutRequest.describe("A request was denied (disposition 31)."),
  "request.failed": aboutRequest.describe("A request failed (disposition 30)."),
  "request.retrieved": aboutRequest.describe("A certificate that had been pending was retrieved."),
  "crl.issued": aboutCrl.describe("The CA published or republished a CRL."),
  "ca.started": aboutRequest.describe("The CA started the exit module."),
  "ca.changed": aboutChange.describe("The CA has another certificate than before."),
  "ca.stopped": aboutRequest.describe("The CA is stopping."),
  "ca.unrecognized": aboutRequest.describe(
    "An event without a type of its own: the raw code and all properties.",
  ),
  "journal.gap": gap.describe("Events were lost."),
  "reconcile.finding": finding.describe(
    "The scheduled comparison found that journal and CA's database differ, or do not differ any more.",
  ),
} as const satisfies Record<EventKind, z.ZodType>;

/** `data` of each kind of event. */
export type EventData = { [K in EventKind]: z.infer<(typeof eventData)[K]> };
