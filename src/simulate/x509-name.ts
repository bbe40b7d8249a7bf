import type { AttributeValue, Name } from "@peculiar/asn1-x509";
import { encode, libraries, utf8Text } from "./asn1.ts";
import { attributeOids, type DistinguishedName, type NameAttribute } from "./distinguished-name.ts";

/** A name for the libraries (root first, as X.509 requires). */
export function nameOf(name: DistinguishedName): Name {
  const { AttributeTypeAndValue, Name, RelativeDistinguishedName } = libraries.x509;
  const parts = name.toReversed().map(([attribute, value]) => {
    const type = attributeOids[attribute];
    return new AttributeTypeAndValue({ type, value: valueOf(attribute, value) });
  });
  return new Name(parts.map((part) => new RelativeDistinguishedName([part])));
}

function valueOf(attribute: NameAttribute, value: string): AttributeValue {
  const { AttributeValue } = libraries.x509;
  if (attribute === "DC" || attribute === "E") return new AttributeValue({ ia5String: value });
  return /^[A-Za-z0-9 '()+,./:=?-]*$/.test(value)
    ? new AttributeValue({ printableString: value })
    : new AttributeValue({ utf8String: utf8Text(value) });
}

/** DER of a name. */
export function encodeName(name: DistinguishedName): Buffer {
  return encode(nameOf(name));
}
