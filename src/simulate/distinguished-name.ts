/** The OIDs of the attributes of a name. */
export const attributeOids = {
  CN: "2.5.4.3",
  SN: "2.5.4.4",
  SERIALNUMBER: "2.5.4.5",
  C: "2.5.4.6",
  L: "2.5.4.7",
  S: "2.5.4.8",
  O: "2.5.4.10",
  OU: "2.5.4.11",
  T: "2.5.4.12",
  G: "2.5.4.42",
  E: "1.2.840.113549.1.9.1",
  DC: "0.9.2342.19200300.100.1.25",
} as const;

/** Short name of a name attribute, as AD CS writes it. */
export type NameAttribute = keyof typeof attributeOids;

/** True for the short name of a name attribute. */
export function isNameAttribute(name: string): name is NameAttribute {
  return Object.hasOwn(attributeOids, name);
}

/** A distinguished name, most specific part first: `[["CN", "WS-0042"], ["DC", "corp"], ["DC", "example"]]`. */
export type DistinguishedName = readonly (readonly [NameAttribute, string])[];

/** A name as the CA writes it into its database: most specific part first, `, ` between the parts. */
export function nameText(name: DistinguishedName): string {
  return name.map(([attribute, value]) => `${attribute}=${quoted(value)}`).join(", ");
}

function quoted(value: string): string {
  return /[,+="<>#;\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
