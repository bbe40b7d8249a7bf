import { writeFileSync } from "node:fs";

const machines = { x64: 0x8664, x86: 0x14c } as const;

/** Writes the header of a program of Windows, which is all that is looked at. */
export function writeProgram(path: string, machine: keyof typeof machines): void {
  const program = Buffer.alloc(256);
  program.write("MZ");
  program.writeUInt32LE(128, 60);
  program.write("PE\0\0", 128, "latin1");
  program.writeUInt16LE(machines[machine], 132);
  writeFileSync(path, program);
}
