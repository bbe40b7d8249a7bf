/** A CRL with `count` entries of 40 bytes, followed by its number, 7. */
export function largeCrl(count: number): Buffer {
  const entry = Buffer.from(
    `3026021100${"ab".repeat(16)}170d3235303130313030303030305a300230 00`.replaceAll(" ", ""),
    "hex",
  );
  const sequence = (tag: number, content: Buffer) => {
    const head = Buffer.from([tag, 0x84, 0, 0, 0, 0]);
    head.writeUInt32BE(content.length, 2);
    return Buffer.concat([head, content]);
  };
  const entries = sequence(0x30, Buffer.concat(Array.from({ length: count }, () => entry)));
  const algorithm = Buffer.from("300d06092a864886f70d01010b0500", "hex");
  const issuer = Buffer.from("300c310a300806035504030c0143", "hex");
  const thisUpdate = Buffer.from("170d3235303130313030303030305a", "hex");
  const number = Buffer.from("a00e300c300a0603551d1404030201 07".replaceAll(" ", ""), "hex");
  const body = Buffer.concat([
    Buffer.from("020101", "hex"),
    algorithm,
    issuer,
    thisUpdate,
    entries,
    number,
  ]);
  return sequence(
    0x30,
    Buffer.concat([sequence(0x30, body), algorithm, Buffer.from("030200ff", "hex")]),
  );
}
