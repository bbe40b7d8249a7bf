import { z } from "zod";

/** With milliseconds: what every SDK of CloudEvents keeps. */
const milliseconds = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

/** SHA-256 in hex. */
const chainValue = z.string().regex(/^[0-9a-f]{64}$/);

/** The CloudEvents attributes of every event; `data` has its own schema for each type. */
export const envelopeSchema = z
  .object({
    specversion: z.literal("1.0"),
    id: z
      .string()
      .regex(/^([0-9a-f]{32}-\d+-\d+|(db|rf)-[\w-]{22})$/)
      .describe(
        "Epoch id, sequence, index; `db-` and a hash for the CA's database, `rf-` and a hash for a finding. The same on retry, restart and replay.",
      ),
    source: z.string().min(1).meta({ format: "uri-reference" }).describe("The CA."),
    type: z.string().regex(/\.v1$/),
    subject: z.string().optional(),
    time: milliseconds.describe("When the CA called the exit module, or what the database says."),
    datacontenttype: z.literal("application/json"),
    dataschema: z.string().regex(/^urn:certwire:schema:/),
    sequence: z
      .string()
      .regex(/^\d{10}-\d{20}$/)
      .optional()
      .describe(
        "Epoch number and sequence; sorts as a string. Absent on an event from the CA's database.",
      ),
    partitionkey: z.string().describe("Events with the same key keep their order."),
    recordedtime: milliseconds.describe(
      "When the journal recorded the event, or the row was read.",
    ),
    previoushash: chainValue
      .optional()
      .describe("Chain value of the record before it in the journal; absent if recordhash is."),
    recordhash: chainValue
      .optional()
      .describe(
        "The journal's chain value of the record, over the record and previoushash; absent from a gap without a record.",
      ),
    contentid: z
      .string()
      .regex(/^[\w-]{22}$/)
      .optional()
      .describe("The same for what the CA's database keeps of the event."),
    origin: z
      .literal("database")
      .optional()
      .describe("Present on an event that comes from reading the CA's database."),
    timebasis: z
      .enum(["revokedWhen", "resolvedWhen", "submittedWhen", "observed"])
      .optional()
      .describe("Where `time` is from, if not from the column that is meant for it."),
    replayed: z.literal(true).optional(),
    data: z.record(z.string(), z.unknown()),
  })
  .describe("A Certwire event in the structured JSON form of CloudEvents 1.0.");
