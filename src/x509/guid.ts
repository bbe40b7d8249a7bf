/**
 * 16 octets as a GUID in the form of Windows, lower case: the first three fields are little-endian
 * ([MS-DTYP] 2.3.4.2).
 */
export function guidText(octets: Buffer): string {
  const hex = (number: number, digits: number) => number.toString(16).padStart(digits, "0");
  const data1 = hex(octets.readUInt32LE(0), 8);
  const [data2, data3] = [hex(octets.readUInt16LE(4), 4), hex(octets.readUInt16LE(6), 4)];
  return [data1, data2, data3, octets.toString("hex", 8, 10), octets.toString("hex", 10)].join("-");
}
