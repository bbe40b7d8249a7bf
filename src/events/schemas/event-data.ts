import { z } from "zod";
import type { EventKind } from "../event.ts";
import {
  caCertificateProperties,
  caProperties,
  certificateProperties,
  requestProperties,
  revocationProperties,
} from "../properties.ts";
import { certificate } from "./certificate-schema.ts";
import { crl, currentCrl } from "./crl-schema.ts";
import { propertyGroup } from "./property-table.ts";
import { binary, dateTime, integer, text } from "./values.ts";

const problem = z
  .object({
    property: z.string().describe("Property of the CA (`request.StatusCode`) or place in `data`."),
    reason: z.string().describe("A word; docs/reference/events.md lists them."),
    hresult: z.string().optional(),
    symbol: z.string().optional(),
    detail: z.string().optional(),
    utf16: binary.optional().describe("Of a text that is no valid UTF-16: its bytes, UTF-16LE."),
    value: z.unknown().optional().describe("A value that has no place in the event."),
  })
  .meta({ id: "Problem", description: "Something the event could not say." });

const notify = z
  .object({
    event: z.int().describe("The EXITEVENT_* bit."),
    context: z.int().describe("Context number of Notify."),
    processId: z.int(),
    threadId: z.int(),
  })
  .meta({ id: "Notify", description: "The call of the CA." });

const ca = propertyGroup(caProperties)
  .extend({
    id: z
      .string()
      .describe(
        "SHA-256 of the CA's public key; `name-` and a hash, or `unknown`, before it is seen.",
      ),
    certificates: z
      .array(propertyGroup(caCertificateProperties).extend({ index: z.int() }))
      .optional()
      .describe("Properties that the CA has for each of its certificates."),
  })
  .meta({ id: "Ca" });

const attribute = z
  .object({
    name: z.string(),
    value: text.optional(),
    redacted: z.literal(true).optional().describe("The value is a secret and was never recorded."),
  })
  .meta({ id: "Attribute" });

const extension = z
  .object({
    oid: z.string(),
    name: z.string().optional(),
    critical: z.boolean(),
    disabled: z.boolean().describe("True for an extension that is not in the certificate."),
    origin: z.string(),
    flags: z.int(),
    der: binary,
  })
  .meta({ id: "Extension" });

const common = { notify, ca, problems: z.array(problem) };

const aboutRequest = z.object({
  ...common,
  request: propertyGroup(requestProperties).optional().describe("The row of the request."),
  certificate: certificate.optional(),
  certificateProperties: propertyGroup(certificateProperties)
    .optional()
    .describe("The row of the certificate as the CA has it; of a pending request what it plans."),
  revocation: propertyGroup(revocationProperties).optional(),
  attributes: z.array(attribute).optional(),
  extensions: z.array(extension).optional(),
  crls: z.array(crl).optional().describe("CRLs that came with an event of no known kind."),
});

const aboutCrl = z.object({
  ...common,
  crl: crl.optional(),
  current: z.array(currentCrl).optional().describe("The CA's other CRLs at that time."),
});

const gap = z.object({
  ca: z.object({ id: z.string() }),
  reason: z.string(),
  count: integer.optional().describe("Number of lost events; absent when it is not known."),
  firstSequence: z.string().optional(),
  lastSequence: z.string().optional(),
  firstTime: dateTime.optional(),
  lastTime: dateTime.optional(),
  requestIds: z.array(integer).optional().describe("Request IDs of up to 64 lost events."),
  problems: z.array(problem),
});

/** The schema of `data` for each kind of event; schemas, documents and types come from here. */
export const eventData = {
  "certificate.issued": aboutRequest.describe("The CA issued a certificate."),
  "certificate.revoked": aboutRequest.describe(
    "A certificate was revoked, or its revocation changed (disposition 21).",
  ),
  "certificate.unrevoked": aboutRequest.describe(
    "A certificate was released from hold (disposition 20 with reason -1).",
  ),
  "certificate.imported": aboutRequest.describe("A certificate was imported into the CA database."),
  "request.pending": aboutRequest.describe("A request waits for a CA manager."),
  "request.denied": aboutRequest.describe("A request was denied (disposition 31)."),
  "request.failed": aboutRequest.describe("A request failed (disposition 30)."),
  "request.retrieved": aboutRequest.describe("A pending request was asked for with success."),
  "crl.issued": aboutCrl.describe("The CA published or republished a CRL."),
  "ca.started": aboutRequest.describe("The exit module was started by the CA."),
  "ca.stopped": aboutRequest.describe("The CA is stopping."),
  "ca.unrecognized": aboutRequest.describe(
    "An event that has no type of its own: the raw code and all properties.",
  ),
  "journal.gap": gap.describe("Events were lost."),
} as const satisfies Record<EventKind, z.ZodType>;

/** `data` of each kind of event. */
export type EventData = { [K in EventKind]: z.infer<(typeof eventData)[K]> };
